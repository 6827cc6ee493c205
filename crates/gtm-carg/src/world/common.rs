//! Values that everyone knows the look of: names, places, addresses of the network.
//!
//! Values of one record fit together: an e-mail address is made from the name, a country from the city.

use super::values::{code, round_to, uuid};
use crate::pack::Semantic;
use crate::rng::Rng;
use gtm_world::Value;

const FIRST: &[&str] = &[
    "Ada", "Ahmed", "Aiko", "Amara", "Ana", "Andrei", "Anke", "Arjun", "Astrid", "Ayşe", "Bartosz",
    "Beatriz", "Bo", "Camille", "Carlos", "Chiara", "Chidi", "Claire", "Daan", "Dalia", "David", "Deepa",
    "Diego", "Dmitri", "Edith", "Elena", "Emeka", "Emma", "Erik", "Esther", "Fatima", "Felix", "Fiona",
    "Gael", "Grace", "Hana", "Hassan", "Helga", "Hugo", "Ines", "Ingrid", "Isaac", "Ivana", "Jamal", "Jin",
    "Joana", "Jonas", "Julia", "Kaito", "Karim", "Katya", "Keiko", "Lars", "Leila", "Lena", "Liam", "Lina",
    "Luca", "Luisa", "Malik", "Maria", "Marek", "Mei", "Mia", "Milan", "Nadia", "Naomi", "Nia", "Noah",
    "Olga", "Omar", "Oskar", "Paula", "Pedro", "Petra", "Priya", "Rafael", "Ravi", "Rosa", "Ruth", "Samir",
    "Sanjay", "Sara", "Sofia", "Stefan", "Tariq", "Tessa", "Thandi", "Tomás", "Uma", "Vera", "Viktor", "Wei",
    "Yara", "Yusuf", "Zoë",
];

const LAST: &[&str] = &[
    "Abe",
    "Adeyemi",
    "Ahmed",
    "Almeida",
    "Andersson",
    "Bauer",
    "Becker",
    "Bianchi",
    "Brown",
    "Castillo",
    "Chen",
    "Costa",
    "Dubois",
    "Eriksen",
    "Ferrari",
    "Fischer",
    "Fontaine",
    "Garcia",
    "Gupta",
    "Haddad",
    "Hansen",
    "Hernandez",
    "Hoffmann",
    "Horvath",
    "Ibrahim",
    "Ivanov",
    "Jansen",
    "Jones",
    "Kaya",
    "Keller",
    "Khan",
    "Kim",
    "Kowalski",
    "Kumar",
    "Larsen",
    "Lee",
    "Lehmann",
    "Lopez",
    "Ma",
    "Martin",
    "Mbeki",
    "Mehta",
    "Meyer",
    "Molina",
    "Moreau",
    "Mwangi",
    "Nakamura",
    "Nguyen",
    "Novak",
    "O'Brien",
    "Okafor",
    "Oliveira",
    "Park",
    "Patel",
    "Petrov",
    "Popescu",
    "Reyes",
    "Ricci",
    "Roberts",
    "Rossi",
    "Russo",
    "Santos",
    "Sato",
    "Schmidt",
    "Schneider",
    "Silva",
    "Singh",
    "Smith",
    "Sokolov",
    "Suzuki",
    "Svensson",
    "Tanaka",
    "Taylor",
    "Torres",
    "Tran",
    "van Dijk",
    "Varga",
    "Virtanen",
    "Wagner",
    "Walker",
    "Wang",
    "Weber",
    "Williams",
    "Wójcik",
    "Yamamoto",
    "Yilmaz",
    "Zhang",
];

/// City, country, ISO code, time zone, latitude, longitude, postal code, language, currency, dialling code.
type Place = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    f64,
    f64,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const PLACES: &[Place] = &[
    ("Berlin", "Germany", "DE", "Europe/Berlin", 52.52, 13.405, "1####", "de", "EUR", "49"),
    ("Hamburg", "Germany", "DE", "Europe/Berlin", 53.551, 9.994, "2####", "de", "EUR", "49"),
    ("Paris", "France", "FR", "Europe/Paris", 48.857, 2.352, "750##", "fr", "EUR", "33"),
    ("Lyon", "France", "FR", "Europe/Paris", 45.764, 4.836, "6900#", "fr", "EUR", "33"),
    ("Madrid", "Spain", "ES", "Europe/Madrid", 40.417, -3.704, "280##", "es", "EUR", "34"),
    ("Porto", "Portugal", "PT", "Europe/Lisbon", 41.158, -8.629, "4###-###", "pt", "EUR", "351"),
    ("Milan", "Italy", "IT", "Europe/Rome", 45.464, 9.19, "201##", "it", "EUR", "39"),
    ("Amsterdam", "Netherlands", "NL", "Europe/Amsterdam", 52.373, 4.892, "10## @@", "nl", "EUR", "31"),
    ("Vienna", "Austria", "AT", "Europe/Vienna", 48.208, 16.374, "1##0", "de", "EUR", "43"),
    ("Zurich", "Switzerland", "CH", "Europe/Zurich", 47.377, 8.541, "80##", "de", "CHF", "41"),
    ("Warsaw", "Poland", "PL", "Europe/Warsaw", 52.23, 21.012, "0#-###", "pl", "PLN", "48"),
    ("Prague", "Czechia", "CZ", "Europe/Prague", 50.076, 14.438, "1## 00", "cs", "CZK", "420"),
    ("Stockholm", "Sweden", "SE", "Europe/Stockholm", 59.329, 18.069, "11# ##", "sv", "SEK", "46"),
    ("Oslo", "Norway", "NO", "Europe/Oslo", 59.914, 10.752, "0###", "no", "NOK", "47"),
    ("Helsinki", "Finland", "FI", "Europe/Helsinki", 60.17, 24.938, "00##0", "fi", "EUR", "358"),
    ("Dublin", "Ireland", "IE", "Europe/Dublin", 53.35, -6.26, "D0# @###", "en", "EUR", "353"),
    ("London", "United Kingdom", "GB", "Europe/London", 51.507, -0.128, "SW# #@@", "en", "GBP", "44"),
    ("Leeds", "United Kingdom", "GB", "Europe/London", 53.801, -1.549, "LS# #@@", "en", "GBP", "44"),
    ("New York", "United States", "US", "America/New_York", 40.713, -74.006, "100##", "en", "USD", "1"),
    ("Chicago", "United States", "US", "America/Chicago", 41.878, -87.63, "606##", "en", "USD", "1"),
    ("Denver", "United States", "US", "America/Denver", 39.739, -104.99, "802##", "en", "USD", "1"),
    ("Seattle", "United States", "US", "America/Los_Angeles", 47.606, -122.332, "981##", "en", "USD", "1"),
    ("Austin", "United States", "US", "America/Chicago", 30.267, -97.743, "787##", "en", "USD", "1"),
    ("Toronto", "Canada", "CA", "America/Toronto", 43.653, -79.383, "M#@ #@#", "en", "CAD", "1"),
    ("Montreal", "Canada", "CA", "America/Toronto", 45.502, -73.567, "H#@ #@#", "fr", "CAD", "1"),
    ("Mexico City", "Mexico", "MX", "America/Mexico_City", 19.433, -99.133, "0####", "es", "MXN", "52"),
    ("São Paulo", "Brazil", "BR", "America/Sao_Paulo", -23.551, -46.633, "0####-###", "pt", "BRL", "55"),
    (
        "Buenos Aires",
        "Argentina",
        "AR",
        "America/Argentina/Buenos_Aires",
        -34.604,
        -58.382,
        "C1###@@@",
        "es",
        "ARS",
        "54",
    ),
    ("Santiago", "Chile", "CL", "America/Santiago", -33.449, -70.669, "8######", "es", "CLP", "56"),
    ("Lagos", "Nigeria", "NG", "Africa/Lagos", 6.524, 3.379, "10####", "en", "NGN", "234"),
    ("Nairobi", "Kenya", "KE", "Africa/Nairobi", -1.292, 36.822, "00###", "en", "KES", "254"),
    ("Cairo", "Egypt", "EG", "Africa/Cairo", 30.044, 31.236, "11###", "ar", "EGP", "20"),
    ("Cape Town", "South Africa", "ZA", "Africa/Johannesburg", -33.925, 18.424, "8###", "en", "ZAR", "27"),
    ("Istanbul", "Türkiye", "TR", "Europe/Istanbul", 41.008, 28.978, "34###", "tr", "TRY", "90"),
    ("Dubai", "United Arab Emirates", "AE", "Asia/Dubai", 25.205, 55.271, "00000", "ar", "AED", "971"),
    ("Mumbai", "India", "IN", "Asia/Kolkata", 19.076, 72.878, "4000##", "hi", "INR", "91"),
    ("Bengaluru", "India", "IN", "Asia/Kolkata", 12.972, 77.595, "5600##", "kn", "INR", "91"),
    ("Singapore", "Singapore", "SG", "Asia/Singapore", 1.352, 103.82, "######", "en", "SGD", "65"),
    ("Hanoi", "Vietnam", "VN", "Asia/Ho_Chi_Minh", 21.028, 105.854, "10####", "vi", "VND", "84"),
    ("Seoul", "South Korea", "KR", "Asia/Seoul", 37.567, 126.978, "0####", "ko", "KRW", "82"),
    ("Tokyo", "Japan", "JP", "Asia/Tokyo", 35.676, 139.65, "1##-00##", "ja", "JPY", "81"),
    ("Osaka", "Japan", "JP", "Asia/Tokyo", 34.694, 135.502, "5##-00##", "ja", "JPY", "81"),
    ("Shanghai", "China", "CN", "Asia/Shanghai", 31.23, 121.474, "200###", "zh", "CNY", "86"),
    ("Sydney", "Australia", "AU", "Australia/Sydney", -33.869, 151.209, "20##", "en", "AUD", "61"),
    ("Auckland", "New Zealand", "NZ", "Pacific/Auckland", -36.848, 174.763, "10##", "en", "NZD", "64"),
];

const STREETS: &[&str] = &[
    "Oak Street",
    "Mill Lane",
    "Station Road",
    "Harbour Street",
    "Church Lane",
    "Park Avenue",
    "King Street",
    "Garden Road",
    "Bridge Street",
    "Maple Avenue",
    "High Street",
    "Market Square",
    "Elm Street",
    "River Road",
    "School Lane",
    "Hill Road",
    "Lindenstraße",
    "Rue Victor Hugo",
    "Via Garibaldi",
    "Calle Mayor",
    "Hauptstraße",
    "Rue de la Gare",
    "Avenida Central",
];

const COMPANY_HEADS: &[&str] = &[
    "Northwind",
    "Blue Harbor",
    "Alder",
    "Meridian",
    "Granite",
    "Silverline",
    "Kestrel",
    "Lumen",
    "Orchard",
    "Pioneer",
    "Quarry",
    "Redwood",
    "Summit",
    "Tidewater",
    "Umbra",
    "Vantage",
    "Westbrook",
    "Yarrow",
    "Zephyr",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Foxglove",
    "Halcyon",
    "Ironbridge",
    "Juniper",
    "Larkspur",
    "Magnolia",
    "Nimbus",
];
const COMPANY_TAILS: &[&str] = &[
    "Logistics",
    "Labs",
    "Partners",
    "Foods",
    "Systems",
    "Group",
    "GmbH",
    "Ltd",
    "Industries",
    "Supply",
    "Works",
    "Health",
    "Energy",
    "Studio",
    "Trading",
    "& Sons",
];

const WORDS: &[&str] = &[
    "archive", "audit", "backlog", "batch", "beacon", "billing", "bridge", "campus", "canvas", "cargo",
    "catalog", "checkout", "cluster", "console", "depot", "docs", "edge", "field", "forum", "gateway",
    "harbor", "index", "intake", "ledger", "market", "media", "metrics", "notes", "orbit", "orders", "panel",
    "portal", "quotes", "reports", "search", "sensor", "shop", "signal", "status", "store", "studio",
    "tickets", "vault", "wiki",
];

const COLORS: &[&str] = &[
    "black",
    "white",
    "silver",
    "graphite",
    "navy",
    "sky blue",
    "teal",
    "forest green",
    "olive",
    "mustard",
    "orange",
    "coral",
    "red",
    "burgundy",
    "pink",
    "lavender",
    "purple",
    "beige",
    "brown",
    "ivory",
];

const SENTENCE_STARTS: &[&str] = &[
    "Please check",
    "Follow up on",
    "Discussed",
    "Waiting for",
    "Confirmed",
    "Updated",
    "Reviewed",
    "Customer asked about",
    "Need more details on",
    "No change to",
    "Escalated",
    "Agreed on",
];
const SENTENCE_ENDS: &[&str] = &[
    "the schedule for next week",
    "the open items",
    "the latest figures",
    "the delivery",
    "the request from this morning",
    "the contract terms",
    "the remaining budget",
    "the missing documents",
    "the new address",
    "the results",
    "the appointment",
    "the invoice",
];

/// A value of the kind, fitting the record it goes into.
pub(super) fn value(semantic: Semantic, record: Option<&Value>, rng: &mut Rng) -> Value {
    let known = |names: &[&str]| names.iter().find_map(|name| record?.get(name)?.as_str());
    let name = known(&["name", "full_name", "contact_name", "person"]);
    let place = record_place(record).unwrap_or_else(|| rng.pick(PLACES));
    Value::from(match semantic {
        Semantic::Person => format!("{} {}", rng.pick(FIRST), rng.pick(LAST)),
        Semantic::FirstName => (*rng.pick(FIRST)).to_owned(),
        Semantic::LastName => (*rng.pick(LAST)).to_owned(),
        Semantic::Username => handle(name, ["_", ".", ""], rng),
        Semantic::Email => {
            let domains = ["example.com", "example.org", "example.net", "mail.example", "post.example"];
            format!("{}@{}", handle(name, [".", "_", ""], rng), rng.pick(&domains))
        }
        Semantic::Phone => format!("+{} {} {}", place.9, code("###", rng), code("#######", rng)),
        Semantic::Company => format!("{} {}", rng.pick(COMPANY_HEADS), rng.pick(COMPANY_TAILS)),
        Semantic::Street => format!("{} {}", rng.pick(STREETS), rng.between(1, 180)),
        Semantic::City => place.0.to_owned(),
        Semantic::Country => place.1.to_owned(),
        Semantic::CountryCode => place.2.to_owned(),
        Semantic::Timezone => place.3.to_owned(),
        Semantic::Latitude => return Value::float(round_to(place.4 + rng.unit() * 0.1 - 0.05, 5)),
        Semantic::Longitude => return Value::float(round_to(place.5 + rng.unit() * 0.1 - 0.05, 5)),
        Semantic::Postcode => code(place.6, rng),
        Semantic::Language => place.7.to_owned(),
        Semantic::Currency => place.8.to_owned(),
        Semantic::Url => {
            format!("https://{}.example.com/{}/{}", rng.pick(WORDS), rng.pick(WORDS), rng.between(1, 9_999))
        }
        Semantic::Domain => format!("{}-{}.example", rng.pick(WORDS), rng.pick(WORDS)),
        Semantic::Ip => format!("10.{}.{}.{}", rng.below(256), rng.below(256), rng.between(1, 254)),
        Semantic::Mac => {
            let bytes: Vec<String> = (0..5).map(|_| format!("{:02x}", rng.below(256))).collect();
            format!("02:{}", bytes.join(":"))
        }
        Semantic::Uuid => uuid(rng),
        Semantic::Hash => (0..4).map(|_| format!("{:016x}", rng.bits())).collect(),
        Semantic::Color => (*rng.pick(COLORS)).to_owned(),
        Semantic::Password => format!("{}-{}-{}", rng.pick(WORDS), rng.pick(WORDS), rng.between(10, 99)),
        Semantic::Sentence => format!("{} {}", rng.pick(SENTENCE_STARTS), rng.pick(SENTENCE_ENDS)),
    })
}

/// The place that the record already speaks of.
fn record_place(record: Option<&Value>) -> Option<&'static Place> {
    let record = record?;
    let member = |name: &str| record.get(name).and_then(Value::as_str);
    let city = member("city").and_then(|city| PLACES.iter().find(|place| place.0 == city));
    city.or_else(|| {
        let country = member("country").or_else(|| member("country_code"))?;
        PLACES.iter().find(|place| place.1 == country || place.2 == country)
    })
}

/// An account name, from a person's name if there is one.
fn handle(name: Option<&str>, joints: [&str; 3], rng: &mut Rng) -> String {
    let made;
    let name = match name {
        Some(name) => name,
        None => {
            made = format!("{} {}", rng.pick(FIRST), rng.pick(LAST));
            &made
        }
    };
    let plain: Vec<String> = name.split_whitespace().map(ascii).filter(|part| !part.is_empty()).collect();
    let mut handle = plain.join(*rng.pick(&joints));
    if rng.chance(0.3) {
        handle.push_str(&rng.between(1, 99).to_string());
    }
    handle
}

/// Lower-case ASCII letters and digits of a name; letters with marks lose them.
fn ascii(word: &str) -> String {
    word.chars()
        .filter_map(|c| match c {
            'á' | 'à' | 'ã' | 'ä' | 'Á' => Some('a'),
            'é' | 'è' | 'ë' => Some('e'),
            'ó' | 'ö' => Some('o'),
            'ş' => Some('s'),
            'ü' => Some('u'),
            c if c.is_ascii_alphanumeric() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// A day as ISO text, from days since 1970.
pub(crate) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time as ISO text in UTC, from seconds since 1970.
pub(crate) fn time(seconds: i64) -> String {
    let rest = seconds.rem_euclid(86_400);
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        date(seconds.div_euclid(86_400)),
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Year, month and day of days since 1970 (H. Hinnant).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for (days, text) in
            [(0, "1970-01-01"), (19_787, "2024-03-05"), (-1, "1969-12-31"), (11_016, "2000-02-29")]
        {
            assert_eq!(date(days), text);
            let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
            assert_eq!(crate::text::days_from_civil(part(0..4), part(5..7), part(8..10)), days);
        }
        assert_eq!(time(1_709_634_030), "2024-03-05T10:20:30Z");
    }
}
