"""The error tree. Every message names the file, the field, what was found, what is allowed and what to do next.

SnowcoderError
├── ParameterError     params.yaml or a profile: unknown key, wrong type, value out of range
├── SourceError        a corpus, positive, model or benchmark source: missing, changed, or with another hash
├── ShardError         a data folder: missing, corrupt, of another schema
├── EmptyResultError   a stage without a result, or a budget that its input cannot fill
├── CheckpointError    a model folder or a training state
├── TrainingError      a loss that is not finite, or a device that failed
├── SandboxError       isolation of untrusted programs is not available
├── ExecutionError     a worker on another machine died repeatedly or could not start; a program that a stage runs does not work
├── EngineError        an inference engine
└── DeviceError        a GPU that exists, or was requested, cannot be used
"""


class SnowcoderError(Exception):
    """Root of all errors that a user can fix."""


class ParameterError(SnowcoderError):
    """A parameter is unknown, mistyped or out of range."""


class SourceError(SnowcoderError):
    """An external input is missing, unreachable or does not match its hash."""


class ShardError(SnowcoderError):
    """A data folder is missing, corrupt or of another schema."""


class EmptyResultError(SnowcoderError):
    """A stage has no result, or a budget is larger than its input."""


class CheckpointError(SnowcoderError):
    """A model folder or a training state cannot be used."""


class TrainingError(SnowcoderError):
    """Training cannot continue: its loss or gradient is not a finite number, or its device failed."""


class SandboxError(SnowcoderError):
    """Untrusted programs cannot be isolated on this machine."""


class ExecutionError(SnowcoderError):
    """Work on other machines could not be finished, or a program that a stage runs does not work."""


class EngineError(SnowcoderError):
    """An inference engine failed or is not installed."""


class DeviceError(SnowcoderError):
    """A GPU that the machine has, or that was requested, cannot be used."""
