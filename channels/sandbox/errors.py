"""What goes wrong with the sandbox's own inputs and at its control API."""


class SandboxError(Exception):
    """Root of the sandbox's errors."""


class ScriptError(SandboxError, ValueError):
    """A script or profile that cannot be used; says where and what would be valid."""


class ControlError(SandboxError):
    """The control API refused a request, or the sandbox did not start; the text is its reason."""
