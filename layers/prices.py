"""Prints what a thousand captions cost by each model, from LiteLLM's own table: `make prices`."""

import sys

from socialflow.ai.catalogue import MODELS, USUAL_OUT
from socialflow.ai.gateway import litellm


def lines() -> list[str]:
    """Return the table, the cheapest model first."""
    library = litellm()
    rows = []
    for model in MODELS.values():
        parts = library.cost_per_token(model=model.name, prompt_tokens=model.usual_in, completion_tokens=USUAL_OUT)
        rows.append((sum(parts) * 1_000, model))
    told = [
        f"{usd:9.4f}  {model.usual_in:7,}  {model.name:32} {model.title}"
        for usd, model in sorted(rows, key=lambda row: row[0])
    ]
    return [f"US dollars for 1,000 captions, tokens in (and {USUAL_OUT} out), model:", *told]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
