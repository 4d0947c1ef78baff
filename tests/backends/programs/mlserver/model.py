"""A model for MLServer that takes a while to load."""

import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Sum(MLModel):
    """Adds numbers."""

    async def load(self) -> bool:
        """Take as long as a small model does."""
        await asyncio.sleep(3)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The sum of the first input."""
        numbers = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("sum", numbers.sum(keepdims=True))]
        )
