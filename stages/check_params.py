"""check_params: checks all of params.yaml before any other stage; all others depend on it, and its output is always the same.

in: params.yaml, dvc.yaml, the files that params name  out: data/check_params (one line)
A separate stage and not an import of the others, so that no stage depends on the parameters and models of another. `dvc repro`, its targets
and experiments run it first if anything in params.yaml has changed; a stage that a person runs by hand does the same check (command_line).
"""

from snowcoder.configuration.checking import GRAPH_PATH, check_params, overwrite_notice
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import PARAMS_PATH
from snowcoder.pipeline.stage import StageRun, command_line, output_path, run_stage


def main() -> None:
    def build(run: StageRun) -> None:
        check_params()
        if notice := overwrite_notice():
            say(notice)
        run.output.write_text("params.yaml has passed every check\n")

    run_stage("check_params", [], [PARAMS_PATH, GRAPH_PATH], build, outputs=[output_path("check_params")])


if __name__ == "__main__":
    command_line(main)
