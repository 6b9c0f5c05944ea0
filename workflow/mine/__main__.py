"""`make mine`: look at a user's pictures and write a study of them; or say what came of it.

`python workflow/mine look` prints the folder of the study, and all else to stderr; `python workflow/mine tell FOLDER`
prints the result in five lines.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    WORKFLOW = Path(__file__).parents[1]
    sys.path[:1] = [str(WORKFLOW), str(WORKFLOW / "scripts")]
    try:
        from mine.command import main

        main()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        sys.exit(130)
