"""Models: making, asking, passes, steps, and the end."""

from aiohttp import web

from ..errors import Failure, WorkerError, invalid_input
from ..models.lora import LoraShape, default_alpha
from ..models.trained import Tuning
from ..training.operations import run_optim_step, run_pass
from ..wire.requests import CreateModel, Forward, ForwardBackward, ModelReference, OptimStep
from ..wire.results import JsonResult, Result
from ..wire.training import PassRequest, pass_of_json, pass_of_message
from .answers import future_answer, parse, read_bytes
from .facts import facts_of
from .futures import Future
from .order import NumberedQueue
from .routes_service import protobuf
from .service import Service, Submission
from .sessions import ModelRecord


class TrainingRoutes:
    """Handlers of everything that changes or asks a model."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        return [
            web.post("/api/v1/create_model", self.create),
            web.post("/api/v1/get_info", self.info),
            web.post("/api/v1/unload_model", self.unload),
            web.post("/api/v1/forward", self.forward),
            web.post("/api/v1/forward_backward", self.forward_backward),
            web.post("/api/v1/optim_step", self.optim_step),
            web.post("/api/v1/spar/discard_gradients", self.discard),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Makes a model."""
        raw = await self._read(request)
        body = parse(CreateModel, raw)
        session = self._service.session(body.session_id)
        refuse_parts(body)
        model_id = f"{body.session_id}:train:{body.model_seq_id}"
        tuning = tuning_of(body)
        registry = self._service.registry
        record = session.models.get(model_id)
        if record is None:
            registry.folder_of(body.base_model)
            record = ModelRecord(
                model_id=model_id,
                base_model=body.base_model,
                lora=tuning.lora,
                queue=NumberedQueue(self._service.settings.sequence_gap_timeout_s),
                user_metadata=body.user_metadata,
            )
            session.models[model_id] = record

        def work(_: object) -> Result:
            model = registry.create(model_id, registry.base(body.base_model), tuning)
            record.facts.update(facts_of(model))
            return JsonResult({"model_id": model_id, "type": "create_model"})

        submission = Submission(key=("create", model_id), body=raw, model_id=model_id)
        return future_answer(self._service.submit(submission, work))

    async def info(self, request: web.Request) -> web.Response:
        """What is known of a model."""
        body = parse(ModelReference, await self._read(request))
        record = self._service.model(body.model_id)
        folder = self._service.registry.folder_of(record.base_model)
        return web.json_response(
            {
                "type": "get_info",
                "model_id": record.model_id,
                "model_name": record.base_model,
                "is_lora": record.lora is not None,
                "lora_rank": None if record.lora is None else record.lora.rank,
                "model_data": {
                    "arch": None,
                    "model_name": record.base_model,
                    "base_model": record.base_model,
                    "tokenizer_id": str(folder),
                },
                "spar": record.facts,
            }
        )

    async def unload(self, request: web.Request) -> web.Response:
        """Frees a model."""
        raw = await self._read(request)
        body = parse(ModelReference, raw)
        record = self._service.model(body.model_id)
        registry = self._service.registry

        def work(_: object) -> Result:
            registry.release(body.model_id)
            return JsonResult({"model_id": body.model_id, "type": "unload_model"})

        def forget(settled: Future) -> None:
            if isinstance(settled.outcome, Failure):
                return  # It is still there.
            record.queue.close()
            for session in self._service.sessions.all():
                session.models.pop(body.model_id, None)

        submission = Submission(("unload", body.model_id), raw, body.model_id, body.seq_id)
        queue = record.queue if body.seq_id is not None else None
        return future_answer(self._service.submit(submission, work, queue=queue, on_settled=forget))

    async def forward(self, request: web.Request) -> web.Response:
        """A forward pass in JSON."""
        raw = await self._read(request)
        body = parse(Forward, raw)
        found = pass_of_json(body.model_id, body.seq_id, body.forward_input, is_forward_only=True)
        return self._submit_pass(found, raw)

    async def forward_backward(self, request: web.Request) -> web.Response:
        """A pass in protobuf or JSON."""
        raw = await self._read(request)
        if request.content_type == protobuf:
            return self._submit_pass(pass_of_message(raw), raw)
        body = parse(ForwardBackward, raw)
        found = pass_of_json(body.model_id, body.seq_id, body.forward_backward_input, is_forward_only=False)
        return self._submit_pass(found, raw)

    async def optim_step(self, request: web.Request) -> web.Response:
        """Applies gradients."""
        raw = await self._read(request)
        body = parse(OptimStep, raw)
        registry = self._service.registry
        return future_answer(self._service.submit_numbered(body, raw, lambda _: run_optim_step(registry, body)))

    async def discard(self, request: web.Request) -> web.Response:
        """Drops gradients."""
        raw = await self._read(request)
        body = parse(ModelReference, raw)
        registry = self._service.registry

        def work(_: object) -> Result:
            registry.model(body.model_id).optimizer.clear_gradients()
            registry.held.pop(body.model_id, None)
            return JsonResult({})

        return future_answer(self._service.submit_numbered(body, raw, work))

    def _submit_pass(self, found: PassRequest, raw: bytes) -> web.Response:
        registry = self._service.registry
        reference = ModelReference(model_id=found.model_id, seq_id=found.seq_id)
        return future_answer(
            self._service.submit_numbered(
                reference, raw, lambda job: run_pass(registry, found, job.check_cancelled)
            )
        )

    async def _read(self, request: web.Request) -> bytes:
        return await read_bytes(request, self._service.settings.body_limit_bytes)


def refuse_parts(body: CreateModel) -> None:
    """Models are folders in the hub's format: nothing is built, and nothing replaced.

    Raises:
        WorkerError: `capability-missing`.
    """
    if body.spar.architecture is not None:
        raise WorkerError(
            "capability-missing",
            "expected the name of a base model, got an architecture: this worker builds no models",
            hint="start it with --model NAME=FOLDER; the embedded engine exports such folders, as a Llama",
        )
    if body.spar.tokenizer is not None:
        raise WorkerError(
            "capability-missing",
            "expected the tokenizer of the base model's folder, got another one",
            hint="leave the tokenizer out, or start the worker with a folder that holds this one",
        )


def tuning_of(body: CreateModel) -> Tuning:
    """Which weights a request wants trained.

    Raises:
        WorkerError: `invalid-input`.
    """
    has_value_head = body.spar.head == "value"
    if body.lora_config is None:
        return Tuning(None, seed=body.spar.seed, has_value_head=has_value_head)
    lora = body.lora_config
    if lora.rank < 1:
        raise invalid_input(f"expected a LoRA rank of at least 1, got {lora.rank}")
    shape = LoraShape(
        rank=lora.rank,
        alpha=default_alpha if body.spar.lora_alpha is None else body.spar.lora_alpha,
        train_attention=lora.train_attn,
        train_mlp=lora.train_mlp,
        train_unembedding=lora.train_unembed,
    )
    shape.check()
    return Tuning(shape, seed=0 if lora.seed is None else lora.seed, has_value_head=has_value_head)
