"""What OpenSpiel itself says about profiles of one of its games: for the tests of exact analysis.

Reads {"game", "profiles": [{information state: {action: probability}}]}, writes what each seat gets and the NashConv.
"""

import json
import sys

import pyspiel
from open_spiel.python import policy
from open_spiel.python.algorithms import expected_game_score, exploitability


def main():
    asked = json.load(sys.stdin)
    game = pyspiel.load_game(asked["game"])
    told = []
    for profile in asked["profiles"]:
        tabular = policy.TabularPolicy(game)
        for state, probabilities in profile.items():
            row = tabular.policy_for_key(state)
            row[:] = 0
            for action, probability in probabilities.items():
                row[int(action)] = probability
        players = [tabular] * game.num_players()
        returns = expected_game_score.policy_value(game.new_initial_state(), players)
        told.append({"returns": list(returns), "nashConv": exploitability.nash_conv(game, tabular)})
    json.dump(told, sys.stdout)


main()
