"""Why a post cannot be made, changed or sent: each with its own code, each saying what to do next."""

from socialflow.errors import Conflict, Invalid, NotFound, PreconditionFailed, PreconditionRequired


class UnknownPost(NotFound):
    """There is no such post here."""

    code, title = "unknown-post", "No such post"


class UnknownTarget(NotFound):
    """The post has no such target."""

    code, title = "unknown-target", "No such target"


class PostExists(Conflict):
    """The id is taken by another post."""

    code, title = "post-exists", "Another post has this id"


class PostNotEditable(Conflict):
    """Parts of it are out, or on their way."""

    code, title = "post-not-editable", "The post can no longer be changed"


class PostChanged(PreconditionFailed):
    """Somebody changed it since the caller read it."""

    code, title = "post-changed", "The post has changed since you read it"


class VersionMissing(PreconditionRequired):
    """The caller does not say what they saw."""

    code, title = "version-missing", "Say which version you saw"


class NothingToApprove(Conflict):
    """It waits for no approval."""

    code, title = "nothing-to-approve", "The post does not wait for an approval"


class ApprovalTooLate(Conflict):
    """Its time has passed."""

    code, title = "approval-too-late", "The post's time has passed"


class NothingToCancel(Conflict):
    """Nothing of it is left to stop."""

    code, title = "nothing-to-cancel", "Nothing is left to cancel"


class NothingToRetry(Conflict):
    """The target did not fail."""

    code, title = "nothing-to-retry", "The target has not failed"


class NothingToResolve(Conflict):
    """The target's outcome is known."""

    code, title = "nothing-to-resolve", "The target's outcome is known"


class NothingToDelete(Conflict):
    """It is not out."""

    code, title = "nothing-to-delete", "Nothing is there to delete"


class NotDeleted(Conflict):
    """The network does not delete it."""

    code, title = "not-deleted", "The network did not delete it"


class MediaNotApproved(Invalid):
    """A media item that no one has approved."""

    code, title = "media-not-approved", "Only approved media can be published"


class MediaStillRead(Conflict):
    """A video's content is not known yet, and what is approved is bound to it."""

    code, title = "media-still-read", "The video is still being read"


class RenditionUnusable(Invalid):
    """A rendition that cannot go out in its medium's place."""

    code, title = "rendition-unusable", "That rendition cannot go out there"


class UnknownAccount(Invalid):
    """An account that is not connected here."""

    code, title = "account-not-connected", "No such connected account"


class DoesNotFit(Invalid):
    """The network would refuse it."""

    code, title = "does-not-fit", "The network would refuse this"


class NoFreeSlot(Conflict):
    """The queue has no time for it."""

    code, title = "no-free-slot", "The queue has no free slot"


class QueueChanged(PreconditionFailed):
    """Somebody set other slots since the caller read them."""

    code, title = "queue-changed", "The slots have changed since you read them"


class UnusableSlots(Invalid):
    """Slots that no queue can have."""

    code, title = "unusable-slots", "These slots cannot be used"


class NotYetSupported(Invalid):
    """It is planned and not there."""

    code, title = "not-supported-yet", "This is not supported yet"


class UnknownSeries(NotFound):
    """There is no such series here."""

    code, title = "unknown-series", "No such series"


class SeriesChanged(PreconditionFailed):
    """Somebody changed it since the caller read it."""

    code, title = "series-changed", "The series has changed since you read it"


class SeriesEnded(Conflict):
    """Nothing more is made of it."""

    code, title = "series-ended", "The series has ended"


class TooManySeries(Conflict):
    """The tenant has as many as there may be."""

    code, title = "too-many-series", "No further series"
