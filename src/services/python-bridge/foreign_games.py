"""Plays games of OpenSpiel and TextArena for spar, over lines of JSON on the standard streams.

Started and watched by `bridge-process.ts`. A request is {"id", "method", "input"}, an answer {"id", "output"} or
{"id", "error"}. No request depends on an earlier one: a state is named by everything that led to it, and is played
anew. Knows nothing of players, prompts or training; reaches no network; ends with the process that started it.
"""

import ctypes
import difflib
import importlib
import importlib.metadata
import json
import os
import queue
import random
import signal
import sys
import threading
import traceback

PROTOCOL = 1
PACKAGES = {"open-spiel": "pyspiel", "textarena": "textarena"}
LONGEST_LINE = 16_000_000
# Of the end of a game, for people: it stands in the record of every play.
LONGEST_DRAWING = 4000


class Refusal(Exception):
    """What the caller can mend: an unknown game, a package that is not installed."""

    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.code = code
        self.hint = hint


# OpenSpiel: a state is a game with its history, the actions of chance among them.


def spiel_game(name):
    pyspiel = package("open-spiel")
    try:
        game = pyspiel.load_game(name)
    except pyspiel.SpielError as error:
        known = [one.short_name for one in pyspiel.registered_games()]
        if name.split("(")[0] in known:
            raise Refusal("game-unsupported", f"OpenSpiel does not load {name}: {said(error)}") from None
        raise unknown_game("OpenSpiel", name, known) from None
    kind = game.get_type()
    if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
        raise Refusal("game-unsupported", f"{name} is a mean field game, which has no seats")
    if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise Refusal("game-unsupported", f"{name} draws behind its own back, so its plays cannot be repeated")
    is_simultaneous = kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS
    return pyspiel.convert_to_turn_based(game) if is_simultaneous else game


def describe_spiel(input):
    game = SPIEL_GAMES(input["game"])
    original = package("open-spiel").load_game(input["game"]).get_type()
    perfect = (original.information.name, original.dynamics.name) == ("PERFECT_INFORMATION", "SEQUENTIAL")
    return {
        "game": input["game"],
        "title": original.long_name,
        "players": game.num_players(),
        "isPerfectInformation": perfect,
        "hasChance": original.chance_mode.name != "DETERMINISTIC",
        "isZeroSum": original.utility.name == "ZERO_SUM",
        "smallestReturn": game.min_utility(),
        "largestReturn": game.max_utility(),
        "longestGame": game.max_game_length(),
        "mostDraws": game.max_chance_nodes_in_history() if original.chance_mode.name != "DETERMINISTIC" else 0,
    }


def spiel_state(input):
    game = SPIEL_GAMES(input["game"])
    state = game.new_initial_state()
    for action in input["history"]:
        if action not in state.legal_actions():
            raise Refusal("illegal-action", f"expected a legal action of {input['game']}, got {action}")
        state.apply_action(action)
    if state.is_terminal():
        return {"kind": "end", "returns": state.returns(), "text": str(state)[:LONGEST_DRAWING]}
    if state.is_chance_node():
        outcomes = [{"action": action, "probability": share} for action, share in state.chance_outcomes()]
        return {"kind": "chance", "outcomes": outcomes}
    player = state.current_player()
    legal = [{"action": action, "text": state.action_to_string(player, action)} for action in state.legal_actions()]
    return {"kind": "decision", "player": player, "legal": legal, **knowledge(game.get_type(), state, player)}


def knowledge(kind, state, player):
    """What the player sees, and whether that is all that it ever knew."""
    if kind.information.name == "PERFECT_INFORMATION" and kind.dynamics.name == "SEQUENTIAL":
        return {"text": str(state), "isComplete": True}
    if kind.provides_information_state_string:
        return {"text": state.information_state_string(player), "isComplete": True}
    return {"text": state.observation_string(player), "isComplete": False}


# TextArena: a state is an environment with its number of players, its seed, and the replies so far.


def textarena_environment(name):
    textarena = package("textarena")
    registry = importlib.import_module("textarena.envs.registration").ENV_REGISTRY
    if name not in registry:
        raise unknown_game("TextArena", name, list(registry))
    return textarena.make(name)


def describe_textarena(input):
    """The number of players is nowhere written down: the first that the environment starts with."""
    name, asked = input["game"], input["players"]
    failure = None
    for players in [2, 1, *range(3, 16)] if asked is None else [asked]:
        try:
            start_textarena(name, players, seed=0)
            return {"name": name if asked is None else f"{name}(players={asked})", "game": name, "players": players}
        except Refusal:
            raise
        except Exception as error:
            failure = failure or error
    wanted = "any number of players up to 15" if asked is None else f"{asked} players"
    message = f"{name} of TextArena does not start with {wanted}: {said(failure)}"
    needs_newer = isinstance(failure, SyntaxError)
    hint = f"it is written for a newer Python than {sys.version.split()[0]}" if needs_newer else None
    raise Refusal("game-unsupported", message, hint) from failure


def start_textarena(name, players, seed):
    # Its games draw from the generators of the process; nothing else runs in this one.
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    environment = textarena_environment(name)
    environment.reset(num_players=players, seed=seed)
    return environment


def textarena_state(input):
    environment = start_textarena(input["game"], input["players"], input["seed"])
    is_done = False
    player = None
    for reply in input["replies"]:
        if is_done:
            raise Refusal("illegal-action", f"{input['game']} had ended, and was given another reply")
        player, _ = environment.get_observation()
        is_done, _ = environment.step(action=reply)
    if is_done:
        return textarena_end(environment, input["players"], player)
    player, observation = environment.get_observation()
    return {"kind": "ask", "player": player, **observed(observation)}


def observed(observation):
    if isinstance(observation, str):
        return {"text": observation}
    messages = [{"from": sender, "text": text, "kind": kind.name} for sender, text, kind in observation]
    return {"messages": messages}


def textarena_end(environment, players, last_player):
    rewards, info = environment.close()
    rewards = {} if rewards is None else rewards
    missing = [player for player in range(players) if player not in rewards]
    if missing:
        raise Refusal("game-failed", f"the environment ended and gave no reward to player {missing[0]}")
    last = info.get(last_player, {})
    return {
        "kind": "end",
        "returns": [float(rewards[player]) for player in range(players)],
        "reason": str(last.get("reason") or ""),
        "invalidBy": last_player if last.get("invalid_move") else None,
        "text": drawing(environment)[:LONGEST_DRAWING],
    }


def drawing(environment):
    """What the environment draws of its state for people; many do, some cannot once they have ended."""
    while hasattr(environment, "env"):
        environment = environment.env
    try:
        return str(environment.get_board_str())
    except Exception:
        return ""


# What both share.


def package(name):
    try:
        return importlib.import_module(PACKAGES[name])
    except ModuleNotFoundError as error:
        if error.name != PACKAGES[name]:
            raise
        hint = f"{sys.executable} -m pip install {name}"
        raise Refusal("package-missing", f"the Python package {name} is not installed", hint) from None


def unknown_game(owner, name, known):
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"{owner} has {', '.join(sorted(known)[:8])} and more"
    return Refusal("unknown-game", f"{owner} does not know the game {name}", hint)


class Recent:
    """The last results of a pure function, by its argument."""

    def __init__(self, make, size=16):
        self.make, self.size, self.kept = make, size, {}

    def __call__(self, key):
        found = self.kept.pop(key, None) or self.make(key)
        self.kept[key] = found
        if len(self.kept) > self.size:
            del self.kept[next(iter(self.kept))]
        return found


SPIEL_GAMES = Recent(spiel_game)


def probe(_input):
    """Which packages there are, without loading them."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return {"executable": sys.executable, "packages": versions}


METHODS = {
    "probe": probe,
    "describe open-spiel": describe_spiel,
    "describe textarena": describe_textarena,
    "open-spiel": spiel_state,
    "textarena": textarena_state,
}


def answer(request):
    try:
        return {"id": request["id"], "output": METHODS[request["method"]](request["input"])}
    except Refusal as refusal:
        told = {"code": refusal.code, "message": str(refusal), "hint": refusal.hint, "traceback": None}
        return {"id": request["id"], "error": told}
    except Exception as error:
        told = {"code": "game-failed", "message": said(error), "hint": None, "traceback": traceback.format_exc()[-8000:]}
        return {"id": request["id"], "error": told}


def encoded(message):
    """One line. What cannot be told, such as an infinity, or is too long, becomes an error of that call."""
    try:
        line = json.dumps(message, allow_nan=False).encode()
        if len(line) <= LONGEST_LINE:
            return line
        problem = f"the answer has {len(line)} bytes, {LONGEST_LINE} are allowed"
    except (TypeError, ValueError) as error:
        problem = said(error)
    told = {"code": "game-failed", "message": problem, "hint": None, "traceback": None}
    return json.dumps({"id": message["id"], "error": told}).encode()


def said(error):
    """On one line: some libraries draw boxes of asterisks around a sentence."""
    words = [word for word in str(error).split() if set(word) != {"*"}]
    return f"{type(error).__name__}: {' '.join(words)}"[:400]


# The process.


def forbid_network(event, _arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto"):
        raise ConnectionRefusedError("games of the bridge reach no network")


def die_with_parent():
    """On Linux even where a game never returns; elsewhere the end of standard input tells."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (OSError, AttributeError):
        pass


def read_lines(lines):
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def main():
    die_with_parent()
    sys.addaudithook(forbid_network)
    # What libraries print goes to standard error; the protocol keeps the real output for itself.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = queue.Queue()
    threading.Thread(target=read_lines, args=(lines,), daemon=True).start()

    def send(message):
        output.write(encoded(message) + b"\n")
        output.flush()

    send({"protocol": PROTOCOL, "python": sys.version.split()[0]})
    while True:
        send(answer(json.loads(lines.get())))


main()
