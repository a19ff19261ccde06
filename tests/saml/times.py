"""Too late, too early, and times that are none."""

import message
from case import Expect, reject
from message import Message, at

WRITINGS = {
    "no-z": "2026-11-23T12:05:00", "offset": "2026-11-23T12:05:00+00:00", "offset-hour": "2026-11-23T13:05:00+01:00", "lower-z": "2026-11-23T12:05:00z", "lower-t": "2026-11-23t12:05:00Z", "blank": "2026-11-23 12:05:00Z",
    "date": "2026-11-23", "no-seconds": "2026-11-23T12:05Z", "leap-second": "2026-11-23T12:05:60Z", "minute": "2026-11-23T12:60:00Z", "hour": "2026-11-23T25:05:00Z", "day": "2026-11-31T12:05:00Z", "february": "2027-02-29T12:05:00Z",
    "century": "2100-02-29T12:05:00Z", "month": "2026-13-01T12:05:00Z", "zero": "0000-00-00T00:00:00Z", "year-zero": "0000-01-01T00:00:00Z", "year-10000": "10000-01-01T00:00:00Z", "year-long": "292277026597-01-01T00:00:00Z", "negative": "-2026-11-23T12:05:00Z",
    "plus": "+2026-11-23T12:05:00Z", "short": "26-11-23T12:05:00Z", "one-digit": "2026-1-3T12:05:00Z", "front": " 2026-11-23T12:05:00Z", "behind": "2026-11-23T12:05:00Z ", "junk": "2026-11-23T12:05:00Zx", "two": "2026-11-23T12:05:00Z2027-01-01T00:00:00Z",
    "number": "1795436700", "text": "tomorrow", "empty": "", "dot": "2026-11-23T12:05:00.Z", "comma": "2026-11-23T12:05:00,5Z", "arabic": "\u0662\u0660\u0662\u0666-11-23T12:05:00Z", "fraction-sign": "2026-11-23T12:05:00.-5Z",
    "hour-24": "2026-11-23T24:05:00Z", "basic": "20261123T120500Z", "week": "2026-W48-1T12:05:00Z", "hex": "0x7EA-11-23T12:05:00Z", "infinity": "INF", "fraction-long": "2026-11-23T12:05:00." + "9" * 400 + "Z",
}


def late():
    """Outside of the skew, by one second and by more; each time by itself."""
    for name, seconds in (("just", -61), ("hour", -3600), ("years", -10 * 365 * 86400)):
        yield reject("conditions-over-" + name, Message(not_on_or_after=at(seconds)).signed(), "conditions_expired")
        yield reject("confirmation-over-" + name, Message(confirmed_until=at(seconds)).signed(), "confirmation_expired")
        yield reject("session-over-" + name, Message(session_until=at(seconds)).signed(), "session_expired")
    yield reject("at-the-very-end", Message(not_on_or_after=at(-60)).signed(), "conditions_expired")
    yield reject("confirmation-at-the-very-end", Message(confirmed_until=at(-60)).signed(), "confirmation_expired")
    for name, seconds in (("just", 61), ("hour", 3600), ("years", 10 * 365 * 86400)):
        yield reject("conditions-not-yet-" + name, Message(not_before=at(seconds), not_on_or_after=at(seconds + 60)).signed(), "conditions_not_yet")
        data = Message().data_xml().replace("/>", f' NotBefore="{at(seconds)}"/>')
        yield reject("confirmation-not-yet-" + name, Message(confirmation_data=data).signed(), "confirmation_not_yet")
    yield reject("old-message", Message().signed(), "confirmation_expired", expect=Expect(now=message.ms(86400)))
    yield reject("early-message", Message().signed(), "conditions_not_yet", expect=Expect(now=message.ms(-86400)))
    yield reject("no-skew", Message(not_before=at(1)).signed(), "conditions_not_yet", expect=Expect(skew=0))
    yield reject("expired-unsigned-response", Message(not_on_or_after=at(-3600), confirmed_until=at(-3600)).signed("response"), "confirmation_expired")


def written():
    wrong = "time_malformed"
    for name, text in WRITINGS.items():
        yield reject("conditions-end-" + name, Message(not_on_or_after=text).signed(), wrong)
        yield reject("confirmation-end-" + name, Message(confirmed_until=text).signed(), wrong)
        yield reject("session-end-" + name, Message(session_until=text).signed(), wrong)
    for name in ("no-z", "offset", "text", "empty", "leap-second", "year-10000", "february"):
        yield reject("conditions-begin-" + name, Message(not_before=WRITINGS[name]).signed(), wrong)
        data = Message().data_xml().replace("/>", f' NotBefore="{WRITINGS[name]}"/>')
        yield reject("confirmation-begin-" + name, Message(confirmation_data=data).signed(), wrong)
        yield reject("authn-instant-" + name, Message(authn_instant=WRITINGS[name]).signed(), wrong)


def cases():
    yield from late()
    yield from written()
