"""The offline captioner: an OpenAI-compatible process on loopback, so that the captioning path is the cloud's own.

It says only what can honestly be told from pixels (colours, light, contrast, format) and from the date it is given. It
recognises nothing and invents nothing; its model is called `offline-basic`.
"""

from infra_cdk.local.offline_ai.server import app

__all__ = ["app"]
