//! A point in time, read from many forms of text and written in one.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};

/// Longest text read as a date, in bytes.
const MAX_DATE: usize = 64;

/// A date, perhaps with a time, perhaps with an offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: DateTime,
    /// UTC counts as offset zero; `None` was written without any.
    offset: Option<Offset>,
    /// Whether there is a time of day.
    pub(super) timed: bool,
}

impl Moment {
    /// Seconds since 1970.
    pub(super) fn from_unix(seconds: i64) -> Option<Moment> {
        let timestamp = Timestamp::from_second(seconds).ok()?;
        Some(Moment { at: Offset::UTC.to_datetime(timestamp), offset: Some(Offset::UTC), timed: true })
    }

    /// Seconds since 1970, or milliseconds if the number is too large for those.
    pub(super) fn from_count(count: i64) -> Option<Moment> {
        if count.unsigned_abs() < 100_000_000_000 {
            return Moment::from_unix(count);
        }
        let timestamp = Timestamp::from_millisecond(count).ok()?;
        Some(Moment { at: Offset::UTC.to_datetime(timestamp), offset: Some(Offset::UTC), timed: true })
    }

    /// Reads a date in one of the forms that the reference page names.
    pub(super) fn read(text: &str, now: i64) -> Option<Moment> {
        let text = text.trim();
        if text.len() > MAX_DATE {
            return None;
        }
        let shifted = |days: i64| {
            let today = Moment::from_unix(now)?.date_only();
            Some(Moment { at: today.at.checked_add(Span::new().days(days)).ok()?, ..today })
        };
        match text.to_lowercase().as_str() {
            "now" => return Moment::from_unix(now),
            "today" => return shifted(0),
            "tomorrow" => return shifted(1),
            "yesterday" => return shifted(-1),
            _ => {}
        }
        if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Moment::from_count(text.parse().ok()?);
        }
        iso(text).or_else(|| loose(text))
    }

    /// Without time and offset.
    pub(super) fn date_only(self) -> Moment {
        Moment { at: self.at.date().to_datetime(Time::midnight()), offset: None, timed: false }
    }

    /// Seconds since 1970.
    pub(super) fn unix(&self) -> Option<i64> {
        self.timestamp().map(Timestamp::as_second)
    }

    fn timestamp(&self) -> Option<Timestamp> {
        self.offset.unwrap_or(Offset::UTC).to_timestamp(self.at).ok()
    }

    pub(super) fn zoned(&self) -> Option<Zoned> {
        Some(Zoned::new(self.timestamp()?, TimeZone::fixed(self.offset.unwrap_or(Offset::UTC))))
    }

    /// The same instant at another offset.
    pub(super) fn at_offset(&self, offset: Offset) -> Option<Moment> {
        Some(Moment { at: offset.to_datetime(self.timestamp()?), offset: Some(offset), timed: true })
    }

    /// In ISO form.
    pub(super) fn text(&self) -> String {
        if !self.timed {
            return self.at.date().to_string();
        }
        let mut text = self.at.to_string();
        match self.offset.map(Offset::seconds) {
            None => {}
            Some(0) => text.push('Z'),
            Some(seconds) => {
                let minutes = seconds.unsigned_abs() / 60;
                let sign = if seconds < 0 { '-' } else { '+' };
                text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
            }
        }
        text
    }
}

/// An offset such as `Z`, `UTC`, `+02:00`, `-0530` or `+2`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    if matches!(text.to_lowercase().as_str(), "z" | "utc" | "gmt" | "ut") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (small(hours)?, small(minutes)?);
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// A number of one or two digits.
fn small(text: &str) -> Option<i32> {
    let shaped = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if shaped { text.parse().ok() } else { None }
}

/// ISO 8601, also with a blank in place of the `T`.
fn iso(text: &str) -> Option<Moment> {
    let pieces = Pieces::parse(text).ok()?;
    let offset = match pieces.offset() {
        None => None,
        Some(PiecesOffset::Numeric(numeric)) => Some(numeric.offset()),
        Some(_) => Some(Offset::UTC),
    };
    let time = pieces.time();
    Some(Moment {
        at: pieces.date().to_datetime(time.unwrap_or(Time::midnight())),
        offset,
        timed: time.is_some(),
    })
}

/// Forms that people write: a date, then perhaps a time with a colon.
fn loose(text: &str) -> Option<Moment> {
    let Some(colon) = text.find(':') else {
        return Some(Moment { at: day(text)?.to_datetime(Time::midnight()), offset: None, timed: false });
    };
    let hour = text[..colon].rfind(|c: char| !c.is_ascii_digit())?;
    // The character before the hour may be of several bytes.
    let hour = hour + text[hour..].chars().next()?.len_utf8();
    let date = text[..hour].trim_end_matches([' ', ',']);
    let date = day(date.strip_suffix(" at").or(date.strip_suffix(['T', 't'])).unwrap_or(date))?;
    let (time, offset) = clock(&text[hour..])?;
    Some(Moment { at: date.to_datetime(time), offset, timed: true })
}

/// `4:30`, `16:30:05.25`, `4:30 pm`, with an offset perhaps.
fn clock(text: &str) -> Option<(Time, Option<Offset>)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let mut parts = digits.split(':');
    let mut hour = small(parts.next()?)?;
    let minute = small(parts.next()?)?;
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(second) => match second.split_once('.') {
            None => (small(second)?, 0),
            Some((second, fraction)) => {
                let padded = format!("{fraction:0<9}");
                (small(second)?, padded.get(..9)?.parse().ok()?)
            }
        },
    };
    let rest = rest.trim().to_lowercase();
    let rest = match rest.strip_prefix("am").or(rest.strip_prefix("a.m.")) {
        Some(rest) => {
            hour = if hour == 12 { 0 } else { hour };
            rest
        }
        None => match rest.strip_prefix("pm").or(rest.strip_prefix("p.m.")) {
            Some(rest) => {
                hour = if hour == 12 { 12 } else { hour + 12 };
                rest
            }
            None => &rest,
        },
    };
    let rest = rest.trim();
    let offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
    let part = |x: i32| i8::try_from(x).ok();
    let time = Time::new(part(hour)?, part(minute)?, part(second)?, fraction).ok()?;
    if parts.next().is_some() { None } else { Some((time, offset)) }
}

/// A date in other than ISO form.
fn day(text: &str) -> Option<Date> {
    let mut numbers: Vec<&str> = Vec::new();
    let mut month = None;
    for part in text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        if part.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = part.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let ending = &part[digits.len()..];
            if !matches!(ending.to_lowercase().as_str(), "" | "st" | "nd" | "rd" | "th") {
                return None;
            }
            numbers.push(digits);
        } else if let Some(found) = named_month(part).filter(|_| month.is_none()) {
            month = Some(found);
        } else if !is_weekday(part) && !part.eq_ignore_ascii_case("of") {
            return None;
        }
    }
    let number = |text: &str| text.parse::<i16>().ok();
    let (year, month, day) = match (month, numbers.as_slice()) {
        (Some(month), [first, second]) if first.len() > 2 => (year(first)?, month, number(second)?),
        (Some(month), [first, second]) => (year(second)?, month, number(first)?),
        (Some(month), [only]) if only.len() == 4 => (year(only)?, month, 1),
        (None, [y, m, d]) if y.len() == 4 => (year(y)?, number(m)?, number(d)?),
        (None, [a, b, y]) => {
            let (a, b) = (number(a)?, number(b)?);
            // Points separate in day-first countries; slashes are read the American way where possible.
            if text.contains('.') || a > 12 { (year(y)?, b, a) } else { (year(y)?, a, b) }
        }
        _ => return None,
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A year of four digits, or of two: 70 to 99 are in the last century.
fn year(text: &str) -> Option<i16> {
    let year: i16 = text.parse().ok()?;
    match text.len() {
        4 => Some(year),
        2 => Some(if year >= 70 { 1900 + year } else { 2000 + year }),
        _ => None,
    }
}

/// Whether a word is a name or its beginning of three letters or more.
fn names(word: &str, name: &str) -> bool {
    word.len() >= 3 && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn named_month(word: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = MONTHS.iter().position(|name| names(word, name))?;
    i16::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().any(|name| names(word, name))
}

#[cfg(test)]
mod tests {
    use super::Moment;

    fn check(text: &str, expected: &str) {
        let found = Moment::read(text, 1_709_634_030).map(|moment| moment.text());
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{text}");
    }

    #[test]
    fn reads_what_people_write() {
        for (text, expected) in [
            ("2024-03-05", "2024-03-05"),
            ("20240305", "2024-03-05"),
            ("2024-03-05T10:20:30Z", "2024-03-05T10:20:30Z"),
            ("2024-03-05 10:20", "2024-03-05T10:20:00"),
            ("2024-03-05T10:20:30.250+02:00", "2024-03-05T10:20:30.25+02:00"),
            ("2024-03-05T10:20:30-05:00[America/New_York]", "2024-03-05T10:20:30-05:00"),
            ("2024/3/5", "2024-03-05"),
            ("3/5/2024", "2024-03-05"),
            ("25/12/2024", "2024-12-25"),
            ("5.3.24", "2024-03-05"),
            ("March 5, 2024", "2024-03-05"),
            ("5th of March 2024", "2024-03-05"),
            ("05-Mar-1999", "1999-03-05"),
            ("Sept 2024", "2024-09-01"),
            ("Tue, 05 Mar 2024 10:20:30 GMT", "2024-03-05T10:20:30Z"),
            ("Mar 5 2024 at 4:30 pm", "2024-03-05T16:30:00"),
            ("3/5/2024, 12:05 AM", "2024-03-05T00:05:00"),
            ("1709634030", "2024-03-05T10:20:30Z"),
            ("1709634030000", "2024-03-05T10:20:30Z"),
            ("tomorrow", "2024-03-06"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "soon",
            "2024-02-30",
            "13/13/2024",
            "10:20",
            "5",
            "March",
            "2024-03-05T25:00:00",
            "é:3",
            "1/2/3/4",
            "99999999999999999999",
        ] {
            check(text, "none");
        }
    }
}
