//! Times as text and numbers, and the order in which things happen to a record.

use super::name::Name;
use super::noise::Noise;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// 9999-12-31: later times have no RFC 3339 form.
const LATEST: i64 = 253_402_214_400;

/// A point in time, split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// 0 is Monday.
    pub weekday: usize,
}

impl Civil {
    /// Splits seconds since 1970-01-01T00:00:00Z, which are clamped to years 1 to 9999.
    pub(super) fn of(seconds: i64) -> Civil {
        let seconds = seconds.clamp(-62_135_596_800, LATEST);
        let days = seconds.div_euclid(DAY);
        let rest = seconds.rem_euclid(DAY);
        // Days to date in the proleptic Gregorian calendar, counting years from March.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: yoe + era * 400 + i64::from(month <= 2),
            month,
            day: doy - (153 * mp + 2) / 5 + 1,
            hour: rest / HOUR,
            minute: rest % HOUR / 60,
            second: rest % 60,
            weekday: (days + 3).rem_euclid(7) as usize,
        }
    }

    pub(super) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    pub(super) fn rfc3339(&self) -> String {
        format!("{}T{:02}:{:02}:{:02}Z", self.date(), self.hour, self.minute, self.second)
    }

    /// As a format such as `YYYY-MM-DD HH:mm:ss` or `dd/MM/yyyy` shows it. `MM` after a colon or an
    /// `HH` is minutes; what is not a field stands for itself.
    pub(super) fn written(&self, format: &str) -> String {
        let bytes = format.as_bytes();
        let mut out = String::with_capacity(format.len());
        let mut i = 0;
        let mut after_hour = false;
        while let Some(&b) = bytes.get(i) {
            let run = bytes.iter().skip(i).take_while(|c| **c == b).count();
            let (value, width) = match b {
                b'Y' | b'y' if run >= 4 => (self.year, 4),
                b'Y' | b'y' if run == 2 => (self.year % 100, 2),
                b'M' | b'm' if after_hour => (self.minute, 2),
                b'M' | b'm' if run == 2 || run == 1 => (self.month, run),
                b'D' | b'd' if run <= 2 => (self.day, run),
                b'H' | b'h' if run <= 2 => (self.hour, run),
                b'S' | b's' if run <= 2 => (self.second, run),
                _ => {
                    out.push(char::from(b));
                    i += 1;
                    continue;
                }
            };
            after_hour = matches!(b, b'H' | b'h');
            out.push_str(&format!("{value:0width$}"));
            i += run;
        }
        out
    }
}

/// A date format that a description spells out, such as `YYYY-MM-DD`.
pub(super) fn format_in(description: &str) -> Option<&str> {
    let start = ["YYYY", "yyyy", "DD/MM", "MM/DD", "dd/MM", "MM/dd", "DD-MM", "DD.MM", "dd.MM", "HH:", "hh:"]
        .iter()
        .filter_map(|mark| description.find(mark))
        .min()?;
    let tail = description.get(start..)?;
    let length = tail.find(|c: char| !"YyMmDdHhSs:/.-T Z'".contains(c)).unwrap_or(tail.len());
    let format = tail.get(..length)?.trim_end_matches([' ', '.', ':', '-', '/', '\'']);
    // `T` may be quoted, as Java writes it; a lone word that follows does not belong to it.
    let format = format.split(" D").next().unwrap_or(format);
    (format.len() >= 4).then_some(format)
}

/// The moment in the form of an example: `2020-03-01`, `03/01/2020 10:00`, `1583020800`.
/// `None` if the example has no form that is known.
pub(super) fn like(example: &str, moment: i64) -> Option<String> {
    let civil = Civil::of(moment);
    let b = example.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| b.get(range).is_some_and(|s| s.iter().all(u8::is_ascii_digit));
    if !b.is_empty() && digits(0..b.len()) {
        return match b.len() {
            8 => Some(civil.written("YYYYMMDD")),
            10 => Some(moment.to_string()),
            13 => Some(moment.saturating_mul(1000).to_string()),
            14 => Some(civil.written("YYYYMMDDHHmmSS")),
            _ => None,
        };
    }
    if b.len() >= 10 && digits(0..4) && digits(5..7) && digits(8..10) {
        let (first, tail) = (char::from(b[4]), example.get(10..)?);
        let date = civil.written("YYYY-MM-DD").replace('-', &first.to_string());
        let clock = civil.written("HH:mm:SS");
        let zone = tail.find(['Z', '+']).and_then(|at| tail.get(at..)).unwrap_or_default();
        let fraction = if tail.contains('.') { ".000" } else { "" };
        return Some(match tail.chars().next() {
            None => date,
            Some(mark @ ('T' | ' ')) if tail.len() >= 9 => format!("{date}{mark}{clock}{fraction}{zone}"),
            Some(mark @ ('T' | ' ')) if tail.len() >= 6 => format!("{date}{mark}{}", civil.written("HH:mm")),
            Some(_) => return None,
        });
    }
    if b.len() == 10 && digits(0..2) && digits(3..5) && digits(6..10) {
        return Some(civil.written("MM-DD-YYYY").replace('-', &char::from(b[2]).to_string()));
    }
    if b.len() == 5 && digits(0..2) && b[2] == b':' {
        return Some(civil.written("HH:mm"));
    }
    if b.len() == 8 && digits(0..2) && b[2] == b':' && b[5] == b':' {
        return Some(civil.written("HH:mm:SS"));
    }
    None
}

/// When something happened to a record. All moments of one record come from the record's seed, so
/// that they keep their order: created, changed, ended; starting before ending; due after now.
pub(super) fn moment(name: &Name, now: i64, record: Noise) -> i64 {
    let mut noise = record.child("moments");
    let age = noise.between(20 * DAY, 400 * DAY);
    let created = now - age;
    let after = |part: f64| created + (age as f64 * part) as i64;
    let start = (now + noise.between(2, 40) * DAY).div_euclid(DAY) * DAY + noise.between(8, 17) * HOUR;
    if name.has(&["birth", "birthday", "birthdate", "dob"]) {
        return (now - noise.between(20 * 365, 60 * 365) * DAY).div_euclid(DAY) * DAY;
    }
    if name.has(&[
        "expires",
        "expiry",
        "expiration",
        "expire",
        "due",
        "deadline",
        "until",
        "renewal",
        "renews",
        "renew",
    ]) {
        return now + noise.between(10, 90) * DAY;
    }
    if name.has(&["next", "scheduled", "upcoming", "delivery", "estimated", "eta", "planned"]) {
        return now + noise.between(1, 9) * DAY;
    }
    if name.has(&[
        "updated",
        "update",
        "modified",
        "modification",
        "changed",
        "edited",
        "last",
        "seen",
        "accessed",
        "synced",
    ]) {
        return after(0.6 + 0.3 * noise.unit());
    }
    if name.has(&[
        "created",
        "creation",
        "create",
        "registered",
        "joined",
        "added",
        "inserted",
        "opened",
        "since",
        "founded",
        "issued",
        "built",
    ]) {
        return created;
    }
    if name.has(&[
        "ordered",
        "purchased",
        "placed",
        "published",
        "submitted",
        "requested",
        "released",
        "sent",
        "started",
        "paid",
        "publish",
        "release",
    ]) {
        return after(0.1 * noise.unit());
    }
    if name.has(&[
        "completed",
        "closed",
        "cancelled",
        "canceled",
        "deleted",
        "archived",
        "resolved",
        "delivered",
        "shipped",
        "finished",
        "ended",
    ]) {
        return after(0.3 + 0.2 * noise.unit());
    }
    if name.has(&["start", "begin", "begins", "departure", "depart", "checkin", "from", "pickup", "starts"]) {
        return start;
    }
    if name.has(&["end", "finish", "arrival", "arrive", "checkout", "return", "to", "dropoff", "ends"]) {
        return start + noise.between(1, 4) * HOUR + if name.has(&["date", "day"]) { 3 * DAY } else { 0 };
    }
    if name.has(&["now", "current", "server", "request", "response", "as"]) {
        return now;
    }
    if name.len() <= 1 && matches!(name.last(), "timestamp" | "time" | "datetime" | "ts" | "epoch") {
        return now - noise.between(0, 2 * HOUR);
    }
    after(0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_time_agrees_with_known_dates() {
        for (seconds, text, weekday) in [
            (0, "1970-01-01T00:00:00Z", 3),
            (951_782_400, "2000-02-29T00:00:00Z", 1),
            (1_735_689_600, "2025-01-01T00:00:00Z", 2),
            (-1, "1969-12-31T23:59:59Z", 2),
        ] {
            assert_eq!((Civil::of(seconds).rfc3339().as_str(), Civil::of(seconds).weekday), (text, weekday));
        }
        assert_eq!(Civil::of(i64::MAX).year, 9999);
        assert_eq!(Civil::of(i64::MIN).year, 1);
    }

    #[test]
    fn formats_are_found_and_written() {
        let time = Civil::of(1_735_732_805);
        for (description, written) in [
            ("Date in the form YYYY-MM-DD.", "2025-01-01"),
            ("Format: yyyy-MM-dd HH:mm:ss (UTC)", "2025-01-01 12:00:05"),
            ("dd/MM/yyyy", "01/01/2025"),
            ("Time as HH:mm", "12:00"),
        ] {
            assert_eq!(
                format_in(description).map(|f| time.written(f)).as_deref(),
                Some(written),
                "{description}"
            );
        }
        assert_eq!(format_in("the day it was made"), None);
    }

    #[test]
    fn examples_give_the_form() {
        let now = 1_735_732_805;
        for (example, written) in [
            ("2020-03-01", "2025-01-01"),
            ("2020/03/01", "2025/01/01"),
            ("2020-03-01T10:00:00.123Z", "2025-01-01T12:00:05.000Z"),
            ("2020-03-01T10:00:00+02:00", "2025-01-01T12:00:05+02:00"),
            ("2020-03-01 10:00:00", "2025-01-01 12:00:05"),
            ("03/01/2020", "01/01/2025"),
            ("1583020800", "1735732805"),
            ("20200301", "20250101"),
            ("10:30", "12:00"),
        ] {
            assert_eq!(like(example, now).as_deref(), Some(written));
        }
        assert_eq!(like("yesterday", now), None);
        assert_eq!(like("", now), None);
        assert_eq!(like("2020-03-01é", now), None);
    }

    #[test]
    fn moments_keep_their_order() {
        let now = 1_735_689_600;
        for seed in 0..200 {
            let at = |name: &str| moment(&Name::new(name), now, Noise::new(seed));
            assert!(at("created_at") <= at("completedAt"));
            assert!(at("completedAt") <= at("updatedAt"));
            assert!(at("updatedAt") <= now);
            assert!(now < at("due_date"));
            assert!(at("startTime") < at("endTime"));
            assert!(at("birth_date") < at("created_at"));
        }
    }
}
