"""What a domain asks of its receivers (A3), and whether From fits what is checked.

Source: RFC 9989 (DMARC), sections 4.7 (tags), 4.10 (the walk up the tree) and 5 (alignment).
"""

from __future__ import annotations

from dataclasses import dataclass

from digest.doctor.finding import Finding, error, fine, warning
from digest.doctor.lookups import Lookups
from digest.doctor.tags import read_tags, zone_line

POLICIES = {"none", "quarantine", "reject"}
GONE = ("pct", "rf", "ri")
"""Tags of RFC 7489 that are read no more."""

MOST_LABELS = 8
"""Labels above which a walk begins higher up. Source: RFC 9989 4.10."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record, and the domain that it stands at."""

    domain: str
    tags: dict[str, str]


async def _walk(names: Lookups, domain: str) -> list[Policy]:
    """The records of a domain and of those above it, its own first."""
    labels = domain.split(".")
    higher = labels[-(MOST_LABELS - 1) :] if len(labels) > MOST_LABELS else labels[1:]
    steps = [domain, *(".".join(higher[at:]) for at in range(len(higher)))]
    found = []
    for step in steps:
        records = await dmarc_records(names, step)
        if len(records) == 1:
            found.append(Policy(step, read_tags(records[0])))
            if found[-1].tags.get("psd") in {"y", "n"}:
                break
    return found


async def dmarc_records(names: Lookups, domain: str) -> list[str]:
    """The DMARC records that stand at one domain; one is right. Raises: SilentError."""
    texts = await names.texts(f"_dmarc.{domain}")
    return [text for text in texts if text.replace(" ", "").startswith("v=DMARC1")]


def _organization(domain: str, found: list[Policy]) -> str:
    """The domain that stands for all below it. Source: RFC 9989 4.10.2."""
    for policy in found:
        if policy.tags.get("psd") == "n":
            return policy.domain
        if policy.tags.get("psd") == "y" and policy.domain != domain:
            below = domain.removesuffix(f".{policy.domain}")
            return f"{below.rpartition('.')[2]}.{policy.domain}"
    return min((one.domain for one in found), key=lambda one: one.count("."), default=domain)


async def dmarc_findings(
    names: Lookups, sender: str, envelope: str, signing: str | None
) -> list[Finding]:
    """Whether the domain of From has a record, and whether it fits SPF's and DKIM's domain.

    `signing` is None where the mail server signs, and by which domain is not known.
    Raises: SilentError.
    """
    own = await dmarc_records(names, sender)
    if len(own) > 1:
        found = f"{sender} has {len(own)} DMARC records, so none of them counts"
        return [error("dns.dmarc", found, f"leave one of them at _dmarc.{sender}")]
    policies = await _walk(names, sender)
    if not policies:
        record = f"v=DMARC1; p=none; rua=mailto:postmaster@{sender}"
        line = zone_line(f"_dmarc.{sender}", "TXT", record)
        return [error("dns.dmarc", f"{sender} has no DMARC record", f"publish: {line}")]
    organization = _organization(sender, policies)
    policy = next((one for one in policies if one.domain in {sender, organization}), policies[0])
    spf = await _fits(names, sender, envelope, strict=policy.tags.get("aspf") == "s")
    dkim = signing and await _fits(names, sender, signing, strict=policy.tags.get("adkim") == "s")
    return [_policy(policy), _alignment((sender, envelope, signing), spf=spf, dkim=bool(dkim))]


async def _fits(names: Lookups, sender: str, domain: str, *, strict: bool) -> bool:
    """Whether a domain is aligned with that of From."""
    if strict or sender == domain:
        return sender == domain
    mine = _organization(sender, await _walk(names, sender))
    return mine == _organization(domain, await _walk(names, domain))


def _policy(policy: Policy) -> Finding:
    place, asked = f"_dmarc.{policy.domain}", policy.tags.get("p", "").lower()
    if asked not in POLICIES:
        what = f"p={asked}, which is none" if asked else "no p="
        do = f"publish p=none, p=quarantine or p=reject at {place}"
        return error("dns.dmarc", f"the DMARC record at {place} has {what}", do)
    if gone := [tag for tag in GONE if tag in policy.tags]:
        return warning(
            "dns.dmarc",
            f"the DMARC record at {place} has {', '.join(gone)}, which receivers read no more",
            f"take {', '.join(gone)} out" + ("; t=y asks for a trial" if "pct" in gone else ""),
        )
    return fine("dns.dmarc", f"DMARC at {place}: p={asked}")


def _alignment(domains: tuple[str, str, str | None], *, spf: bool, dkim: bool) -> Finding:
    """What of SPF and DKIM speaks for From; better both, as a forwarder breaks SPF."""
    sender, envelope, signing = domains
    if spf and dkim:
        return fine("dns.dmarc", f"From ({sender}) fits SPF ({envelope}) and DKIM ({signing})")
    if spf and signing is None:
        return fine("dns.dmarc", f"From ({sender}) fits SPF ({envelope})")
    if spf:
        return warning(
            "dns.dmarc",
            f"From ({sender}) fits SPF ({envelope}), but not DKIM ({signing})",
            f"sign for {sender}: [dkim] domain",
        )
    if dkim:
        return warning(
            "dns.dmarc",
            f"From ({sender}) fits DKIM ({signing}), but not SPF ({envelope})",
            f"let bounces go to a domain below {sender}: [mail] bounce_domain",
        )
    how = "let the mail server sign for it" if signing is None else "sign for it ([dkim] domain)"
    found = f"From ({sender}) fits neither SPF ({envelope}) nor DKIM ({signing or 'unknown'})"
    return error("dns.dmarc", found, f"{how}, and let bounces go there ([mail] bounce_domain)")
