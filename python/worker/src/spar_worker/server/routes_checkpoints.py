"""Saving, loading, listing and deleting."""

import time
from pathlib import Path

from aiohttp import web

from ..checkpoints.operations import Checkpoints
from ..checkpoints.state import tuning_of_facts
from ..checkpoints.store import Address, Kind, make_address, parse_address
from ..errors import WorkerError, invalid_input
from ..models.versions import Version
from ..wire.requests import LoadWeights, ModelReference, SaveWeights, TimeToLive, WeightsInfo
from ..wire.results import JsonResult, Result
from .answers import future_answer, parse, read_bytes
from .facts import facts_of
from .order import NumberedQueue
from .service import Service, Submission
from .sessions import ModelRecord, SamplerRecord


class CheckpointRoutes:
    """Handlers of everything that lies on disk."""

    def __init__(self, service: Service, checkpoints: Checkpoints) -> None:
        self._service = service
        self._checkpoints = checkpoints

    def routes(self) -> list[web.RouteDef]:
        """The table of paths."""
        one = "/api/v1/training_runs/{run}/checkpoints/{kind}/{name}"
        return [
            web.post("/api/v1/save_weights", self.save),
            web.post("/api/v1/save_weights_for_sampler", self.save_for_sampler),
            web.post("/api/v1/save_weights_external", self.save_external),
            web.post("/api/v1/load_weights", self.load),
            web.post("/api/v1/weights_info", self.weights_info),
            web.get("/api/v1/training_runs", self.list_runs),
            web.get("/api/v1/training_runs/{run}", self.get_run),
            web.get("/api/v1/training_runs/{run}/checkpoints", self.list_of_run),
            web.get("/api/v1/checkpoints", self.list_all),
            web.delete(one, self.delete),
            web.put(one + "/ttl", self.set_time_to_live),
        ]

    async def save(self, request: web.Request) -> web.Response:
        """Weights with the optimizer."""
        return await self._save(request, "weights")

    async def save_external(self, request: web.Request) -> web.Response:
        """Weights in the hub's formats."""
        return await self._save(request, "external_weights")

    async def save_for_sampler(self, request: web.Request) -> web.Response:
        """Weights to sample from: under a name on disk, or at once as a sampling session in memory."""
        raw = await self._read(request)
        body = parse(SaveWeights, raw)
        if body.path is not None:
            return self._submit_save(body, raw, "sampler_weights")
        if body.sampling_session_seq_id is None:
            raise invalid_input("expected path or sampling_session_seq_id, got neither")
        record = self._service.model(body.model_id)
        session = self._service.session_of_model(body.model_id)
        sampler_id = f"{session.session_id}:sample:{body.sampling_session_seq_id}"
        registry = self._service.registry

        def work(_: object) -> Result:
            version: Version = registry.publish(registry.model(body.model_id), sampler_id)
            session.samplers[sampler_id] = SamplerRecord(sampler_id, record.base_model, None, version)
            return JsonResult({"type": "save_weights_for_sampler", "sampling_session_id": sampler_id})

        return future_answer(self._service.submit_numbered(body, raw, work))

    async def load(self, request: web.Request) -> web.Response:
        """Into a model, or as the first thing of a new one."""
        raw = await self._read(request)
        body = parse(LoadWeights, raw)
        checkpoint = self._checkpoints.trainable(body.path)
        if body.model_id is not None:
            model_id = body.model_id

            def load(_: object) -> Result:
                self._checkpoints.load(model_id, body.path, has_optimizer=body.optimizer)
                return JsonResult({"type": "load_weights", "path": body.path, "model_id": model_id})

            reference = ModelReference(model_id=model_id, seq_id=body.seq_id)
            return future_answer(self._service.submit_numbered(reference, raw, load))
        if body.session_id is None or body.model_seq_id is None:
            raise invalid_input("expected model_id, or session_id and model_seq_id, got neither")
        session = self._service.session(body.session_id)
        model_id = f"{body.session_id}:train:{body.model_seq_id}"
        record = session.models.setdefault(
            model_id,
            ModelRecord(
                model_id=model_id,
                base_model=str(checkpoint.facts["base_model"]),
                lora=tuning_of_facts(checkpoint.facts).lora,
                queue=NumberedQueue(self._service.settings.sequence_gap_timeout_s),
                user_metadata=body.user_metadata,
            ),
        )

        def create(_: object) -> Result:
            model = self._checkpoints.create(model_id, body.path, has_optimizer=body.optimizer)
            record.facts.update(facts_of(model))
            return JsonResult({"type": "load_weights", "path": body.path, "model_id": model_id})

        return future_answer(self._service.submit(Submission(("create", model_id), raw, model_id), create))

    async def weights_info(self, request: web.Request) -> web.Response:
        """By which a model is made that fits a checkpoint."""
        body = parse(WeightsInfo, await self._read(request))
        facts = self._checkpoints.store.read(parse_address(body.tinker_path)).facts
        shape = tuning_of_facts(facts).lora
        fields: dict[str, object] = {"base_model": facts["base_model"], "is_lora": shape is not None}
        if shape is not None:
            fields |= {
                "lora_rank": shape.rank,
                "train_unembed": shape.train_unembedding,
                "train_mlp": shape.train_mlp,
                "train_attn": shape.train_attention,
            }
        return web.json_response(fields)

    async def list_runs(self, _: web.Request) -> web.Response:
        """Models that are alive."""
        runs = [
            _run_json(model) for session in self._service.sessions.all() for model in session.models.values()
        ]
        cursor = {"offset": 0, "limit": len(runs), "total_count": len(runs)}
        return web.json_response({"training_runs": runs, "cursor": cursor})

    async def get_run(self, request: web.Request) -> web.Response:
        """A model that is alive."""
        return web.json_response(_run_json(self._service.model(request.match_info["run"])))

    async def list_of_run(self, request: web.Request) -> web.Response:
        """The checkpoints of a model, also of one that is long gone."""
        found = self._checkpoints.store.list(request.match_info["run"])
        return web.json_response({"checkpoints": [checkpoint.as_json() for checkpoint in found]})

    async def list_all(self, _: web.Request) -> web.Response:
        """All checkpoints."""
        found = [checkpoint.as_json() for checkpoint in self._checkpoints.store.list()]
        cursor = {"offset": 0, "limit": len(found), "total_count": len(found)}
        return web.json_response({"checkpoints": found, "cursor": cursor})

    async def delete(self, request: web.Request) -> web.Response:
        """Removes a checkpoint; who samples from it goes on."""
        address = _address(request)
        self._checkpoints.store.delete(address)
        self._service.run_later(lambda: self._checkpoints.registry.forget(str(address)))
        return web.json_response({})

    async def set_time_to_live(self, request: web.Request) -> web.Response:
        """Changes when a checkpoint expires."""
        body = parse(TimeToLive, await self._read(request))
        if body.ttl_seconds is not None and body.ttl_seconds <= 0:
            raise invalid_input(f"expected ttl_seconds above 0, got {body.ttl_seconds}")
        self._checkpoints.store.set_time_to_live(_address(request), body.ttl_seconds)
        return web.json_response({})

    async def _save(self, request: web.Request, kind: Kind) -> web.Response:
        raw = await self._read(request)
        return self._submit_save(parse(SaveWeights, raw), raw, kind)

    def _submit_save(self, body: SaveWeights, raw: bytes, kind: Kind) -> web.Response:
        if body.spar.folder is not None:
            return self._submit_save_to(Path(body.spar.folder), body, raw, kind)
        if body.path is None:
            raise WorkerError("invalid-input", "expected path, the name of the checkpoint, got none")
        make_address(body.model_id, kind, body.path)

        def work(_: object) -> Result:
            found = self._checkpoints.save(body, kind)
            spar = {"folder": str(found.folder.resolve())}
            return JsonResult({"path": str(found.address), "spar": spar})

        return future_answer(self._service.submit_numbered(body, raw, work))

    def _submit_save_to(self, folder: Path, body: SaveWeights, raw: bytes, kind: Kind) -> web.Response:
        """Into a folder of the client, which is on this machine."""
        self._checkpoints.check_shared(folder)

        def work(_: object) -> Result:
            self._checkpoints.save_to(folder, body, kind)
            return JsonResult({"path": folder.as_uri(), "spar": {"folder": str(folder)}})

        return future_answer(self._service.submit_numbered(body, raw, work))

    async def _read(self, request: web.Request) -> bytes:
        return await read_bytes(request, self._service.settings.body_limit_bytes)


def _address(request: web.Request) -> Address:
    parts = request.match_info
    return make_address(parts["run"], parts["kind"], parts["name"])


def _run_json(model: ModelRecord) -> dict[str, object]:
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(model.last_request_at))
    return {
        "training_run_id": model.model_id,
        "base_model": model.base_model,
        "model_owner": "local",
        "is_lora": model.lora is not None,
        "lora_rank": None if model.lora is None else model.lora.rank,
        "last_request_time": date,
        "user_metadata": model.user_metadata,
    }
