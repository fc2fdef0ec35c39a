"""What requests on a model do on the computing thread, from checked requests to results of the wire."""

import time

from ..errors import WorkerError
from ..models.registry import Registry
from ..wire.requests import OptimStep
from ..wire.results import JsonResult, PassOutput
from ..wire.training import PassRequest
from .held import backward_held, hold_forward
from .losses import read_loss
from .optimizers import OptimizerKind, OptimizerSettings, optimizer_kinds
from .passes import CheckCancelled, PassResult, Wants, forward, forward_backward

outputs_loss = "spar_outputs"
backward_loss = "spar_backward"


def run_pass(registry: Registry, request: PassRequest, check_cancelled: CheckCancelled) -> PassOutput:
    """A forward or a forward and backward pass, built-in or in the two halves of a loss of the caller's own."""
    if request.loss_name == outputs_loss:
        return _outputs_pass(registry, request, check_cancelled)
    if request.loss_name == backward_loss:
        return _backward_pass(registry, request)
    model = registry.model(request.model_id)
    loss = read_loss(request.loss_name, request.numbers)
    budget = registry.settings.token_budget
    if request.is_forward_only:
        result = forward(model, request.rows, token_budget=budget, loss=loss, check_cancelled=check_cancelled)
    else:
        result = forward_backward(
            model, request.rows, loss, token_budget=budget, check_cancelled=check_cancelled
        )
    return _pass_output(request, result)


def _pass_output(request: PassRequest, result: PassResult) -> PassOutput:
    metrics = {"positions:sum": float(result.position_count)}
    if result.loss is not None:
        metrics["loss:sum"] = result.loss
    outputs = dict(result.outputs)
    if request.loss_name == "cross_entropy":
        outputs["elementwise_loss"] = [
            -logprobs if row.weights is None else -row.weights * logprobs
            for row, logprobs in zip(request.rows, outputs["logprobs"], strict=True)
        ]
    return PassOutput(outputs, metrics, len(request.rows))


def _outputs_pass(registry: Registry, request: PassRequest, check_cancelled: CheckCancelled) -> PassOutput:
    model = registry.model(request.model_id)
    settings = registry.settings
    wants = Wants(
        entropies=request.numbers.get("entropies", 0) == 1, values=request.numbers.get("values", 0) == 1
    )
    if request.numbers.get("hold", 0) != 1:
        result = forward(
            model,
            request.rows,
            token_budget=settings.token_budget,
            wants=wants,
            check_cancelled=check_cancelled,
        )
        return _pass_output(request, result)
    registry.held.pop(model.model_id, None)
    result, graph = hold_forward(
        model,
        request.rows,
        wants=wants,
        forward_number=request.seq_id or 0,
        token_budget=settings.token_budget,
        token_limit=settings.held_token_limit,
        timeout_s=settings.held_graph_timeout_s,
    )
    registry.held[model.model_id] = graph
    return _pass_output(request, result)


def _backward_pass(registry: Registry, request: PassRequest) -> PassOutput:
    model = registry.model(request.model_id)
    graph = registry.held.pop(model.model_id, None)
    number = int(request.numbers.get("forward_seq_id", 0))
    if graph is None or graph.forward_number != number or graph.expires_at < time.monotonic():
        raise WorkerError(
            "graph-expired",
            f"expected the graph of pass {number} to wait for gradients, got none",
            category="server",
            hint="send the pass and its gradients again, sooner: a graph waits for a while and is used once",
        )
    backward_held(model, graph, request.rows)
    return PassOutput({}, {}, 0)


def drop_expired_graphs(registry: Registry) -> None:
    """Frees graphs that waited too long."""
    now = time.monotonic()
    for model_id in [model_id for model_id, graph in registry.held.items() if graph.expires_at < now]:
        del registry.held[model_id]


def run_optim_step(registry: Registry, request: OptimStep) -> JsonResult:
    """Applies what has accumulated."""
    model = registry.model(request.model_id)
    settings = read_optimizer(request)
    registry.held.pop(request.model_id, None)
    report = model.optimizer.step(settings)
    return JsonResult(
        {
            "metrics": {"grad_norm": report.gradient_norm, "step_count": float(report.step_count)},
            "type": "optim_step",
        }
    )


def read_optimizer(request: OptimStep) -> OptimizerSettings:
    """The settings of a step.

    Raises:
        WorkerError: `capability-missing` for an optimizer that is not here.
    """
    other = request.optimizer_params
    if other is None:
        adam = request.adam_params
        if adam is None:
            raise WorkerError("invalid-input", "expected adam_params or optimizer_params, got neither")
        return OptimizerSettings(
            kind="adamw",
            learning_rate=adam.learning_rate,
            beta1=adam.beta1,
            beta2=adam.beta2,
            epsilon=adam.eps,
            weight_decay=adam.weight_decay,
            clip_gradient_norm=adam.grad_clip_norm,
        )
    kind = optimizer_kind(other.type)
    default_decay = 0.01 if kind == "adamw" else 0.0
    return OptimizerSettings(
        kind=kind,
        learning_rate=other.learning_rate,
        beta1=other.beta1,
        beta2=other.beta2,
        epsilon=other.epsilon,
        weight_decay=default_decay if other.weight_decay is None else other.weight_decay,
        alpha=other.alpha,
        momentum=other.momentum,
        clip_gradient_norm=other.grad_clip_norm,
    )


def optimizer_kind(name: str) -> OptimizerKind:
    """Raises `capability-missing` for a name that is none of ours."""
    for kind in optimizer_kinds:
        if kind == name:
            return kind
    raise WorkerError(
        "capability-missing", f"expected an optimizer of {', '.join(optimizer_kinds)}, got {name!r}"
    )
