"""Outside: an invitation's mail, by SES."""

from email.message import EmailMessage
from email.policy import SMTP

from socialflow.platform.aws import client
from socialflow.platform.settings import MailSettings
from socialflow.team.model import Letter


def compose(letter: Letter, *, sender: str, page: str) -> EmailMessage:
    """Return the mail. Its words are ours: names are quoted on one line, in plain text, where nothing is a link.

    The token stands behind the address's `#`, so that no server is sent it, and none logs it.
    """
    tenant, inviter = _line(letter.tenant_name), _line(letter.inviter)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = letter.email
    mail["Subject"] = f"You are invited to {tenant} on SocialFlow"
    mail["Auto-Submitted"] = "auto-generated"
    who = f"{inviter} invites" if inviter else "The owner of it invites"
    mail.set_content(
        f'{who} you to join the team "{tenant}" on SocialFlow as {letter.role}.\n\n'
        f"To accept, open this link and sign in. It is good for one person, once, until "
        f"{letter.expires_at:%d %B %Y, %H:%M} UTC:\n\n"
        f"{page}#token={letter.token}\n\n"
        "If you do not know them, do nothing: nothing happens without you.\n"
    )
    return mail


def send(letter: Letter) -> None:
    """Send an invitation's mail; what SES refuses is raised."""
    settings = MailSettings.from_env()
    mail = compose(letter, sender=settings.mail_sender, page=settings.invitation_page)
    client("sesv2").send_email(
        FromEmailAddress=settings.mail_sender,
        Destination={"ToAddresses": [letter.email]},
        Content={"Raw": {"Data": mail.as_bytes()}},
    )


def _line(text: str) -> str:
    """Return a name that cannot pass for an address of the web, on one line."""
    return " ".join(text.split()).replace("://", " ").replace(".", "\N{ONE DOT LEADER}")[:100]
