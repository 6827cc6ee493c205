//! Dates and times as ISO text. Only UTC and fixed offsets: no time-zone database is read.

mod moment;

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::Eval;
use jiff::{SignedDuration, Span, fmt::strtime::BrokenDownTime};
use moment::Moment;

/// Longest format, in bytes.
const MAX_FORMAT: usize = 200;

pub(super) const SECTION: Section = Section {
    title: "Dates and times",
    intro: "Dates are ISO text (`2024-03-05`, `2024-03-05T10:20:30Z`), which sorts and compares as text. Every function here also reads other common forms \
            (`3/5/2024` month first unless that cannot be, `5.3.2024` day first, `March 5, 2024 4:30 pm`, `Tue, 05 Mar 2024 10:20:30 GMT`, `20240305`), \
            seconds or milliseconds since 1970, and `now`, `today`, `tomorrow`, `yesterday` by the session's logical clock. \
            A time without offset counts as UTC. Results keep the form and the offset of their argument. Only UTC and fixed offsets are known.",
    null_passes: true,
    rows: rows! {
        "now() -> text", "The logical clock.", "now()" => r#""2024-03-05T10:20:30Z""#, |args| {
            let now = Moment::from_unix(args.now).ok_or_else(|| args.fail("the logical clock is out of range"))?;
            Ok(now.text().into())
        };
        "today() -> text", "The logical clock's date.", "today()" => r#""2024-03-05""#, |args| {
            let now = Moment::from_unix(args.now).ok_or_else(|| args.fail("the logical clock is out of range"))?;
            Ok(now.date_only().text().into())
        };
        "nowUnix() -> int", "The logical clock in seconds since 1970.", "nowUnix()" => "1709634030", |args| Ok(Value::Int(args.now));
        "date(x) -> text" ["timestamp", "parseDate"], "In ISO form; an error if it is no date.", "date('March 5, 2024 4:30 pm')" => r#""2024-03-05T16:30:00""#, |args| {
            let moment = moment(args, 0)?;
            args.make_text(moment.text())
        };
        "isDate(x) -> bool", "Whether it reads as a date.", "isDate('2024-02-30')" => "false", |args| {
            Ok(moment(args, 0).is_ok().into())
        };
        "dateOnly(date) -> text", "Without its time.", "dateOnly('2024-03-05T10:20:30Z')" => r#""2024-03-05""#, |args| {
            let moment = moment(args, 0)?.date_only();
            args.make_text(moment.text())
        };
        "timeOnly(date) -> text", "The time of day.", "timeOnly('2024-03-05T10:20:30Z')" => r#""10:20:30""#, |args| {
            let time = moment(args, 0)?.at.time().to_string();
            args.make_text(time)
        };
        "formatDate(date, format) -> text", "In a `strftime` format: `%Y-%m-%d %H:%M:%S`, `%B`, `%b`, `%A`, `%a`, `%d`, `%e`, `%I:%M %p`, `%j`, `%z` and so on.",
            "formatDate('2024-03-05', '%A, %B %-d, %Y')" => r#""Tuesday, March 5, 2024""#, format;
        "addSeconds(date, n) -> text", "So many seconds later, or earlier if negative.", "addSeconds('2024-03-05T10:00:00Z', 90)" => r#""2024-03-05T10:01:30Z""#, |args| later(args, 1.0);
        "addMinutes(date, n) -> text", "So many minutes later.", "addMinutes('2024-03-05T10:00:00Z', -30)" => r#""2024-03-05T09:30:00Z""#, |args| later(args, 60.0);
        "addHours(date, n) -> text", "So many hours later.", "addHours('2024-03-05T10:00:00Z', 1.5)" => r#""2024-03-05T11:30:00Z""#, |args| later(args, 3600.0);
        "addDays(date, n) -> text", "So many days later.", "addDays('2024-02-28', 2)" => r#""2024-03-01""#, |args| {
            let n = args.int(1)?;
            shift(args, Span::new().try_days(n))
        };
        "addWeeks(date, n) -> text", "So many weeks later.", "addWeeks('2024-03-05', 1)" => r#""2024-03-12""#, |args| {
            let n = args.int(1)?;
            shift(args, Span::new().try_weeks(n))
        };
        "addMonths(date, n) -> text", "So many months later; a day that the month lacks becomes its last.", "addMonths('2024-01-31', 1)" => r#""2024-02-29""#, |args| {
            let n = args.int(1)?;
            shift(args, Span::new().try_months(n))
        };
        "addYears(date, n) -> text", "So many years later.", "addYears('2024-02-29', 1)" => r#""2025-02-28""#, |args| {
            let n = args.int(1)?;
            shift(args, Span::new().try_years(n))
        };
        "diffSeconds(from, to) -> int", "Seconds from one to the other; negative if `to` is earlier.", "diffSeconds('2024-03-05T10:00:00Z', '2024-03-05T10:01:00Z')" => "60", |args| difference(args, 1);
        "diffMinutes(from, to) -> int", "Whole minutes between.", "diffMinutes('2024-03-05T10:00:00Z', '2024-03-05T11:30:00Z')" => "90", |args| difference(args, 60);
        "diffHours(from, to) -> int", "Whole hours between.", "diffHours('2024-03-05', '2024-03-06')" => "24", |args| difference(args, 3600);
        "diffDays(from, to) -> int", "Whole days between.", "diffDays('2024-02-28', '2024-03-01')" => "2", |args| difference(args, 86_400);
        "diffMonths(from, to) -> int", "Whole months between.", "diffMonths('2024-01-31', '2024-03-30')" => "1", |args| Ok(Value::Int(months(args)?));
        "diffYears(from, to) -> int", "Whole years between, such as an age.", "diffYears('1990-03-06', '2024-03-05')" => "33", |args| Ok(Value::Int(months(args)? / 12));
        "toUnix(date) -> int", "Seconds since 1970.", "toUnix('2024-03-05T10:20:30Z')" => "1709634030", |args| {
            let moment = moment(args, 0)?;
            seconds(args, &moment)
        };
        "fromUnix(seconds) -> text", "The time so many seconds after 1970.", "fromUnix(1709634030)" => r#""2024-03-05T10:20:30Z""#, |args| {
            let moment = Moment::from_unix(args.int(0)?).ok_or_else(|| args.fail("out of range"))?;
            args.make_text(moment.text())
        };
        "toOffset(date, offset) -> text", "The same instant at another offset, such as `+02:00` or `Z`.", "toOffset('2024-03-05T10:00:00Z', '+05:30')" => r#""2024-03-05T15:30:00+05:30""#, |args| {
            let offset = moment::offset(args.text(1)?).ok_or_else(|| args.fail("offset must be such as '+02:00' or 'Z'"))?;
            let moved = moment(args, 0)?.at_offset(offset).ok_or_else(|| args.fail("out of range"))?;
            args.make_text(moved.text())
        };
        "startOf(date, unit) -> text", "The first day of its `week` (Monday), `month`, `quarter` or `year`, or the start of its `day` or `hour`.", "startOf('2024-03-05', 'month')" => r#""2024-03-01""#, start_of;
        "year(date) -> int", "Its year.", "year('2024-03-05')" => "2024", |args| part(args, |m| m.at.year().into());
        "month(date) -> int", "Its month, 1 to 12.", "month('2024-03-05')" => "3", |args| part(args, |m| m.at.month().into());
        "day(date) -> int", "Its day of the month.", "day('2024-03-05')" => "5", |args| part(args, |m| m.at.day().into());
        "hour(date) -> int", "Its hour, 0 to 23.", "hour('2024-03-05T10:20:30Z')" => "10", |args| part(args, |m| m.at.hour().into());
        "minute(date) -> int", "Its minute.", "minute('2024-03-05T10:20:30Z')" => "20", |args| part(args, |m| m.at.minute().into());
        "second(date) -> int", "Its second.", "second('2024-03-05T10:20:30Z')" => "30", |args| part(args, |m| m.at.second().into());
        "weekday(date) -> text", "The name of its day of the week.", "weekday('2024-03-05')" => r#""Tuesday""#, |args| {
            const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
            let at = moment(args, 0)?.at.weekday().to_monday_zero_offset();
            Ok(Value::from(NAMES.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or("")))
        };
        "weekdayNumber(date) -> int", "1 for Monday to 7 for Sunday.", "weekdayNumber('2024-03-05')" => "2", |args| part(args, |m| m.at.weekday().to_monday_one_offset().into());
        "isWeekend(date) -> bool", "Whether it is a Saturday or Sunday.", "isWeekend('2024-03-09')" => "true", |args| {
            Ok((moment(args, 0)?.at.weekday().to_monday_one_offset() > 5).into())
        };
        "dayOfYear(date) -> int", "1 to 366.", "dayOfYear('2024-03-05')" => "65", |args| part(args, |m| m.at.day_of_year().into());
        "weekOfYear(date) -> int", "Its ISO week.", "weekOfYear('2024-03-05')" => "10", |args| part(args, |m| m.at.date().iso_week_date().week().into());
        "daysInMonth(date) -> int", "Days that its month has.", "daysInMonth('2024-02-01')" => "29", |args| part(args, |m| m.at.days_in_month().into());
        "isLeapYear(x) -> bool", "Whether a year, or a date's year, has 366 days.", "isLeapYear(2024)" => "true", |args| match args.get(0) {
            Value::Int(year) if (-9999..=9999).contains(year) => {
                Ok((year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)).into())
            }
            _ => Ok(moment(args, 0)?.at.in_leap_year().into()),
        };
    },
};

/// An argument as a point in time.
fn moment(args: &Args<'_>, at: usize) -> Eval<Moment> {
    let found = match args.get(at) {
        Value::Str(text) => Moment::read(text, args.now),
        other => other.as_i64().and_then(Moment::from_count),
    };
    found.ok_or_else(|| match args.get(at) {
        Value::Str(text) => args.fail(format!("{:?} is not a date", super::number::shortened(text))),
        _ => args.wrong(at, "a date"),
    })
}

fn part(args: &mut Args<'_>, of: fn(&Moment) -> i64) -> Eval<Value> {
    Ok(Value::Int(of(&moment(args, 0)?)))
}

fn format(args: &mut Args<'_>) -> Eval<Value> {
    let format = args.text(1)?;
    if format.len() > MAX_FORMAT {
        return Err(args.fail(format!("the format has more than {MAX_FORMAT} bytes")));
    }
    // A width such as %200d fills with blanks, so a format can grow a hundredfold.
    args.pay(20 + format.len() * 16)?;
    let zoned = moment(args, 0)?.zoned().ok_or_else(|| args.fail("out of range"))?;
    let text = BrokenDownTime::from(&zoned).to_string(format).map_err(|error| args.fail(error))?;
    args.make_text(text)
}

fn shift(args: &mut Args<'_>, span: Result<Span, jiff::Error>) -> Eval<Value> {
    let mut moment = moment(args, 0)?;
    let moved = span.and_then(|span| moment.at.checked_add(span));
    moment.at = moved.map_err(|_| args.fail("out of range"))?;
    args.make_text(moment.text())
}

fn later(args: &mut Args<'_>, unit: f64) -> Eval<Value> {
    let mut moment = moment(args, 0)?;
    moment.timed = true;
    // Milliseconds are as fine as dates in JSON get, and keep 0.1 h from ending in nanoseconds.
    let millis = (args.number(1)? * unit * 1e3).round();
    let moved = if millis.abs() < 9e17 {
        moment.at.checked_add(SignedDuration::from_millis(millis as i64)).ok()
    } else {
        None
    };
    moment.at = moved.ok_or_else(|| args.fail("out of range"))?;
    args.make_text(moment.text())
}

fn seconds(args: &Args<'_>, moment: &Moment) -> Eval<Value> {
    moment.unix().map(Value::Int).ok_or_else(|| args.fail("out of range"))
}

fn difference(args: &mut Args<'_>, unit: i64) -> Eval<Value> {
    let unix = |at: usize| moment(args, at)?.unix().ok_or_else(|| args.fail("out of range"));
    Ok(Value::Int((unix(1)? - unix(0)?) / unit))
}

/// Whole months from the first date to the second, towards zero.
fn months(args: &mut Args<'_>) -> Eval<i64> {
    let (from, to) = (moment(args, 0)?.at, moment(args, 1)?.at);
    let count = |at: jiff::civil::DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    let within = |at: jiff::civil::DateTime| (at.day(), at.time());
    let months = count(to) - count(from);
    Ok(match months.signum() {
        1 if within(to) < within(from) => months - 1,
        -1 if within(to) > within(from) => months + 1,
        _ => months,
    })
}

fn start_of(args: &mut Args<'_>) -> Eval<Value> {
    let mut moment = moment(args, 0)?;
    let at = moment.at;
    let midnight = at.date().to_datetime(jiff::civil::Time::midnight());
    let first = |month: i8| midnight.with().month(month).day(1).build();
    let start = match args.text(1)? {
        "hour" => at.with().minute(0).second(0).subsec_nanosecond(0).build(),
        "day" => Ok(midnight),
        "week" => midnight.checked_sub(Span::new().days(at.weekday().to_monday_zero_offset())),
        "month" => first(at.month()),
        "quarter" => first((at.month() - 1) / 3 * 3 + 1),
        "year" => first(1),
        _ => return Err(args.fail("unit must be hour, day, week, month, quarter or year")),
    };
    moment.at = start.map_err(|_| args.fail("out of range"))?;
    args.make_text(moment.text())
}
