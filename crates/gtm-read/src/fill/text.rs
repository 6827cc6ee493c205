//! Text for a kind of value.

use super::codes::{DIGIT, HEX, UPPER, base64, hinted, ipv4, mentions, template, uuid};
use super::facets::Facets;
use super::kind::Kind;
use super::name::Name;
use super::noise::Noise;
use super::record::{self, Record, capital, slug};
use super::time::{Civil, format_in, moment};
use super::words::*;

const ALNUM: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// What a text is made for.
pub(super) struct Text<'t> {
    pub name: &'t Name,
    pub kind: Kind,
    pub record: &'t Record<'t>,
    pub noise: Noise,
    pub now: i64,
    /// Index among the rows of a list, so that rows differ.
    pub row: usize,
}

impl Text<'_> {
    /// Text for a `format`; `None` if the format is not one that decides.
    pub(super) fn of_format(&self, format: &str, description: &str) -> Option<String> {
        let mut noise = self.noise;
        let time = || Civil::of(moment(self.name, self.now, self.record.noise));
        Some(match format {
            "date-time" | "datetime" | "dateTime" | "google-datetime" | "iso-datetime" | "timestamp" => {
                time().rfc3339()
            }
            "date" | "full-date" | "date-only" => time().date(),
            "time" => format!("{:02}:{:02}:00Z", time().hour, time().minute),
            "partial-time" => format!("{:02}:{:02}:00", time().hour, time().minute),
            "date-time-rfc-2822" | "rfc-1123" | "date-time-rfc1123" => {
                let t = time();
                let (day, month) = (DAYS[t.weekday], MONTHS[(t.month - 1) as usize % 12]);
                format!(
                    "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
                    &day[..3],
                    t.day,
                    &month[..3],
                    t.year,
                    t.hour,
                    t.minute,
                    t.second
                )
            }
            "unix-time" | "unixtime" => moment(self.name, self.now, self.record.noise).to_string(),
            "duration" => format!("PT{}M", noise.between(5, 90)),
            "google-duration" => format!("{}s", noise.between(5, 900)),
            "email" | "idn-email" => self.email(),
            "uuid" | "guid" => uuid(noise),
            "uri" | "url" | "iri" | "URL" | "uri-reference" | "iri-reference" => {
                if self.kind == Kind::ImageUrl { self.image() } else { self.url() }
            }
            "hostname" | "idn-hostname" => self.domain(),
            "ipv4" | "ip" => ipv4(noise),
            "ipv6" => format!("2001:db8::{:x}:{:x}", noise.below(0xffff) + 1, noise.below(0xffff) + 1),
            "byte" | "base64" | "base64url" => base64(noise.text(LOWER, 12).as_bytes()),
            "binary" => format!("{}\n", self.sentence()),
            "phone" | "phone-number" => self.phone(),
            "json-pointer" => format!("/{}", noise.word(WORDS)),
            "relative-json-pointer" => format!("{}/{}", noise.below(2), noise.word(WORDS)),
            "regex" => "^[a-z]+$".to_owned(),
            "color" | "css-color" => format!("#{}", noise.text(HEX, 6)),
            "password" => noise.text(ALNUM, 16),
            "decimal" => format!("{}.{:02}", noise.between(1, 400), noise.below(100)),
            "int64" | "int32" | "uint64" | "uint32" | "integer" if self.kind == Kind::Time => {
                moment(self.name, self.now, self.record.noise).to_string()
            }
            "int64" | "int32" | "uint64" | "uint32" | "integer" => {
                self.digits(if self.kind == Kind::Id { 9 } else { 3 })
            }
            "double" | "float" | "number" => format!("{}.{}", noise.between(1, 90), noise.below(10)),
            "currency" | "ISO4217" => self.record.place().currency.to_owned(),
            "iso-country-code" | "country-code" => self.record.place().code.to_owned(),
            _ if description.is_empty() && format.is_empty() => return None,
            _ => return None,
        })
    }

    /// Text for the kind.
    pub(super) fn of_kind(&self, facets: &Facets<'_>) -> String {
        let mut noise = self.noise;
        let record = self.record;
        let description = facets.description;
        match self.kind {
            Kind::FirstName => record.person().0,
            Kind::MiddleName => noise.text(UPPER, 1),
            Kind::LastName => record.person().1,
            Kind::FullName => self.full_name(),
            Kind::Username => self.username(),
            Kind::Email => self.email(),
            Kind::Phone => self.phone(),
            Kind::Gender => noise.word(&["female", "male", "non-binary"]).to_owned(),
            Kind::Job => noise.word(JOBS).to_owned(),
            Kind::Role => noise.word(ROLES).to_owned(),
            Kind::Company => record.company(),
            Kind::Street => self.street(),
            Kind::Unit2 => format!("Apt {}", noise.between(1, 40)),
            Kind::City => record.place().city.to_owned(),
            Kind::State
                if facets.max_length.is_some_and(|m| m <= 3) || self.name.last().ends_with("code") =>
            {
                record.place().region_code.to_owned()
            }
            Kind::State => record.place().region.to_owned(),
            Kind::Country
                if facets.max_length == Some(2)
                    || mentions(
                        description,
                        &["iso 3166", "alpha-2", "two-letter", "2-letter", "two letter"],
                    ) =>
            {
                record.place().code.to_owned()
            }
            Kind::Country if facets.max_length == Some(3) => record.place().code3.to_owned(),
            Kind::Country => record.place().country.to_owned(),
            Kind::CountryCode
                if facets.min_length == 3
                    || mentions(description, &["alpha-3", "three-letter", "3-letter"]) =>
            {
                record.place().code3.to_owned()
            }
            Kind::CountryCode => record.place().code.to_owned(),
            Kind::Zip => template(record.place().zip, noise),
            Kind::Address => {
                let place = record.place();
                format!("{}, {}, {}", self.street(), place.city, place.country)
            }
            Kind::Lat => format!("{:.4}", record.place().lat),
            Kind::Lon => format!("{:.4}", record.place().lon),
            Kind::Zone => record.place().zone.to_owned(),
            Kind::Airport => record.place().airport.to_owned(),
            Kind::Currency => record.place().currency.to_owned(),
            Kind::Money => format!("{}.{:02}", noise.between(5, 400), noise.below(100)),
            Kind::Url => self.url(),
            Kind::ImageUrl => self.image(),
            Kind::Domain => self.domain(),
            Kind::Ip => ipv4(noise),
            Kind::UserAgent => "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0".to_owned(),
            Kind::Id => self.id(description),
            Kind::Uuid => uuid(noise),
            Kind::Slug => slug(&self.thing()),
            Kind::Code => noise.text(UPPER, 3) + &noise.text(DIGIT, 3),
            Kind::Token => noise.text(ALNUM, 32),
            Kind::Hash if self.name.has(&["md5"]) => noise.text(HEX, 32),
            Kind::Hash => noise.text(HEX, 40),
            Kind::Sku => format!("{}-{}", noise.text(UPPER, 3), noise.text(DIGIT, 5)),
            Kind::Cursor => base64(noise.text(LOWER, 9).as_bytes()),
            Kind::Reference if self.name.last() == "arn" => {
                format!(
                    "arn:aws:{}:us-east-1:{}:{}",
                    noise.word(WORDS),
                    noise.text(DIGIT, 12),
                    slug(&self.thing())
                )
            }
            Kind::Reference => format!("{}-{}", noise.text(UPPER, 2), noise.text(DIGIT, 6)),
            Kind::Name | Kind::Label => self.named(),
            Kind::Title => self.title(),
            Kind::Description => self.sentence(),
            Kind::Remark => noise.word(REMARKS).to_owned(),
            Kind::Message => "Request completed successfully.".to_owned(),
            Kind::Status => noise.word(STATES).to_owned(),
            Kind::Type => {
                if record.noun.is_empty() {
                    "standard".to_owned()
                } else {
                    record.noun.replace(' ', "_")
                }
            }
            Kind::Category => noise.word(CATEGORIES).to_owned(),
            Kind::Tag => noise.word(TAGS).to_owned(),
            Kind::Flag => "true".to_owned(),
            Kind::Fault => String::new(),
            Kind::FileName => self.file(),
            Kind::Path => format!("/{}/{}", noise.word(WORDS), self.file()),
            Kind::Mime => FILES[noise.below(FILES.len())].1.to_owned(),
            Kind::Extension => FILES[noise.below(FILES.len())].0.to_owned(),
            Kind::Size => format!("{} KB", noise.between(2, 900)),
            Kind::Time => self.time(description),
            Kind::Clock => format!("{:02}:{:02}", noise.between(7, 20), noise.below(4) * 15),
            Kind::Duration => format!("{} min", noise.between(5, 120)),
            Kind::Year => (Civil::of(self.now).year - noise.between(0, 12)).to_string(),
            Kind::Month => noise.word(MONTHS).to_owned(),
            Kind::Day => noise.between(1, 28).to_string(),
            Kind::Weekday => noise.word(DAYS).to_owned(),
            Kind::Language => record.place().language.to_owned(),
            Kind::Locale => format!("{}-{}", record.place().language, record.place().code),
            Kind::Color if self.name.has(&["hex", "code"]) || mentions(description, &["hex"]) => {
                format!("#{}", noise.text(HEX, 6))
            }
            Kind::Color => noise.word(COLORS).to_owned(),
            Kind::Unit => noise.word(UNITS).to_owned(),
            Kind::Version => format!("{}.{}.{}", noise.between(1, 4), noise.below(12), noise.below(9)),
            Kind::Level => noise.word(&["low", "medium", "high"]).to_owned(),
            Kind::Ticker => noise.word(TICKERS).to_owned(),
            Kind::Genre => noise.word(GENRES).to_owned(),
            Kind::Sky => noise.word(SKIES).to_owned(),
            Kind::Method => noise.word(&["GET", "POST", "PUT"]).to_owned(),
            Kind::Count | Kind::Quantity | Kind::Page | Kind::Limit | Kind::Offset | Kind::Position => {
                self.digits(2)
            }
            Kind::HttpStatus => "200".to_owned(),
            Kind::Serial => self.digits(6),
            Kind::Percent => format!("{}%", noise.between(1, 99)),
            Kind::Rating => format!("{:.1}", 3.0 + 2.0 * noise.unit()),
            Kind::Score | Kind::Age | Kind::Port | Kind::Pixels => noise.between(18, 90).to_string(),
            Kind::Ratio => format!("{:.2}", noise.unit()),
            Kind::Temperature | Kind::Humidity | Kind::Speed | Kind::Weight | Kind::Length => {
                format!("{}", noise.between(5, 60))
            }
            Kind::Pressure => noise.between(990, 1030).to_string(),
            Kind::Plain => self.plain(description),
        }
    }

    fn full_name(&self) -> String {
        let (first, last) = self.record.person();
        if self.name.joined() == "fullname" && self.record.has(&[Kind::FirstName, Kind::LastName]) {
            return format!("{first} {last}");
        }
        // `owner` of a record that is no person is somebody else than its other people.
        if record::is_person(self.record.noun) && self.name.has(&["full", "name", "display"]) {
            return format!("{first} {last}");
        }
        let mut noise = self.record.noise.child(self.name.joined());
        if self.record.known.is_some() && self.name.len() <= 2 && self.name.has(&["full", "customer"]) {
            return format!("{first} {last}");
        }
        format!("{} {}", noise.word(FIRST), noise.word(LAST))
    }

    fn username(&self) -> String {
        let (first, last) = self.record.person();
        slug(&format!("{}{last}", first.chars().next().unwrap_or('x')))
    }

    fn email(&self) -> String {
        let (first, last) = self.record.person();
        format!("{}.{}@example.com", slug(&first), slug(&last))
    }

    fn phone(&self) -> String {
        let mut noise = self.noise;
        let dial = self.record.place().dial;
        if dial == "+1" {
            return format!("+1-{}-555-01{}", noise.between(201, 989), noise.text(DIGIT, 2));
        }
        format!("{dial} {} 555 {}", noise.between(20, 99), noise.text(DIGIT, 4))
    }

    fn street(&self) -> String {
        let mut noise = self.record.noise.child("street");
        format!("{} {}", noise.between(1, 480), noise.word(STREETS))
    }

    fn url(&self) -> String {
        let noun = slug(self.record.noun);
        let what = if self.name.last() == "website" || self.name.last() == "homepage" {
            String::new()
        } else {
            slug(&self.thing())
        };
        match (noun.is_empty(), what.is_empty()) {
            (_, true) => format!("https://{}.example.com", slug(&self.record.company())),
            (true, _) => format!("https://example.com/{what}"),
            _ => format!("https://example.com/{noun}/{what}"),
        }
    }

    fn image(&self) -> String {
        let mut noise = self.noise;
        format!("https://images.example.com/{}-{}.jpg", slug(&self.noun()), noise.text(HEX, 6))
    }

    fn domain(&self) -> String {
        format!("{}.example.com", slug(&self.record.company()))
    }

    /// Digits that do not start with 0, differing from row to row.
    fn digits(&self, count: usize) -> String {
        let mut noise = self.noise;
        format!("{}{}", noise.between(1, 9), noise.text(DIGIT, count.saturating_sub(1)))
    }

    fn id(&self, description: &str) -> String {
        let mut noise = self.noise;
        if mentions(description, &["uuid", "guid"]) || self.name.has(&["uuid", "guid"]) {
            return uuid(noise);
        }
        if mentions(description, &["numeric", "integer", "number of"]) || self.name.has(&["number"]) {
            return self.digits(9);
        }
        let head = self.name.head(1);
        let noun =
            if head.is_empty() { self.record.noun.split(' ').next_back().unwrap_or_default() } else { head };
        let prefix: String =
            noun.chars().filter(char::is_ascii_lowercase).take(if noun.len() <= 4 { 4 } else { 3 }).collect();
        if prefix.is_empty() { noise.text(HEX, 16) } else { format!("{prefix}_{}", noise.text(LOWER, 10)) }
    }

    fn noun(&self) -> String {
        if self.record.noun.is_empty() { "item".to_owned() } else { self.record.noun.to_owned() }
    }

    /// A name for a thing of the record's noun.
    fn thing(&self) -> String {
        let mut noise = self.record.noise.child("thing");
        let noun = self.record.noun;
        if record::is_person(noun) {
            let (first, last) = self.record.person();
            format!("{first} {last}")
        } else if record::is_country(noun) {
            self.record.place().country.to_owned()
        } else if record::is_place(noun) {
            self.record.place().city.to_owned()
        } else if record::is_company(noun) {
            self.record.company()
        } else if record::is_pet(noun) {
            noise.word(PETS).to_owned()
        } else if record::is_dish(noun) {
            noise.word(DISHES).to_owned()
        } else if record::is_work(noun) {
            noise.word(WORKS).to_owned()
        } else if record::is_file(noun) {
            self.file()
        } else if record::is_product(noun) {
            format!("{} {}", noise.word(ADJECTIVES), noise.word(PRODUCTS))
        } else if noun
            .split(' ')
            .any(|w| matches!(w, "category" | "group" | "department" | "tag" | "topic" | "label"))
        {
            capital(noise.word(CATEGORIES))
        } else if noun.is_empty() {
            format!("{} {}", noise.word(ADJECTIVES), noise.word(WORDS))
        } else {
            format!("{} {}", noise.word(ADJECTIVES), titled(noun))
        }
    }

    /// `name` is the thing's own; `department_name` is a department's.
    fn named(&self) -> String {
        let head = self.name.head(1);
        if head.is_empty()
            || self
                .name
                .has(&["display", "friendly", "short", "long", "common", "full", "official", "native"])
        {
            return self.thing();
        }
        let of = self.name.words().rev().nth(1).unwrap_or_default();
        if self.record.noun.ends_with(of) {
            return self.thing();
        }
        let other = Record { noise: self.record.noise.child(head), known: None, noun: of, members: &[] };
        Text {
            record: &other,
            name: self.name,
            kind: self.kind,
            noise: self.noise,
            now: self.now,
            row: self.row,
        }
        .thing()
    }

    fn title(&self) -> String {
        let mut noise = self.record.noise.child("title");
        let noun = self.record.noun;
        if noun.is_empty() || record::is_person(noun) {
            return format!(
                "{} {}",
                noise.word(ADJECTIVES),
                noise.word(&["Overview", "Report", "Update", "Guide", "Review"])
            );
        }
        if noun.split(' ').any(|w| {
            matches!(
                w,
                "issue"
                    | "ticket"
                    | "task"
                    | "bug"
                    | "todo"
                    | "post"
                    | "article"
                    | "news"
                    | "email"
                    | "message"
                    | "event"
                    | "meeting"
            )
        }) {
            let what = noise.word(&["Update", "Review", "Prepare", "Discuss", "Improve", "Check"]);
            return format!(
                "{what} {}",
                noise.word(&[
                    "onboarding guide",
                    "release notes",
                    "quarterly budget",
                    "search results",
                    "team schedule",
                    "error handling",
                    "travel plan",
                    "customer feedback"
                ])
            );
        }
        self.thing()
    }

    fn sentence(&self) -> String {
        let mut noise = self.noise;
        let template = noise.word(SENTENCES);
        let noun = self.noun();
        let text = template.replacen("{}", &noun, 1);
        let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
        match text.strip_prefix("A ").filter(|_| vowel) {
            Some(rest) => format!("An {rest}"),
            None => capital(&text),
        }
    }

    fn file(&self) -> String {
        let mut noise = self.record.noise.child("file");
        let (ending, _) = FILES[noise.below(FILES.len())];
        format!(
            "{}-{}.{ending}",
            noise.word(&["report", "summary", "invoice", "notes", "draft", "photo", "export"]),
            noise.between(1, 99)
        )
    }

    fn time(&self, description: &str) -> String {
        let moment = moment(self.name, self.now, self.record.noise);
        let civil = Civil::of(moment);
        if let Some(format) = format_in(description) {
            return civil.written(format);
        }
        if mentions(description, &["unix", "epoch"]) {
            return if mentions(description, &["millisecond"]) {
                moment.saturating_mul(1000)
            } else {
                moment
            }
            .to_string();
        }
        if self.name.last() == "time" && self.name.len() == 1 && !mentions(description, &["date"]) {
            return format!("{:02}:{:02}", civil.hour, civil.minute);
        }
        let day_only = matches!(
            self.name.last(),
            "date" | "birthday" | "dob" | "day" | "deadline" | "birthdate" | "birth"
        ) || self.name.last().ends_with("date") && self.name.last() != "update";
        if day_only { civil.date() } else { civil.rfc3339() }
    }

    fn plain(&self, description: &str) -> String {
        let mut noise = self.noise;
        if let Some(value) = hinted(description, noise) {
            return value;
        }
        let last = self.name.last();
        match last {
            "mode" => return noise.word(&["standard", "auto", "manual"]).to_owned(),
            "format" => return noise.word(&["json", "text", "pdf"]).to_owned(),
            "variant" | "subtype" | "class" | "type" => {
                return noise.word(&["standard", "basic", "extended"]).to_owned();
            }
            _ => {}
        }
        if last.len() > 2
            && !matches!(
                last,
                "value" | "data" | "result" | "results" | "output" | "response" | "string" | "item" | "items"
            )
        {
            return format!("{}-{}", last, noise.word(WORDS));
        }
        format!("{} {}", noise.word(WORDS), noise.word(WORDS))
    }
}

fn titled(noun: &str) -> String {
    noun.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}
