//! The tables that plausible values are combined from. Small on purpose: variety comes from
//! combining, and a user who needs more gives examples or state.

/// Given names from many parts of the world.
pub(super) const FIRST: &[&str] = &[
    "Amara", "Bruno", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ingrid", "Jamal", "Keiko",
    "Liam", "Mei", "Nadia", "Omar", "Priya", "Quentin", "Rosa", "Samuel", "Tariq", "Uma", "Victor", "Wanda",
    "Yusuf", "Zofia", "Aiden", "Beatriz", "Carlos", "Dana", "Emeka",
];

/// Family names.
pub(super) const LAST: &[&str] = &[
    "Abebe", "Bauer", "Costa", "Dubois", "Eriksson", "Fischer", "Garcia", "Haddad", "Ivanova", "Jensen",
    "Kim", "Lopez", "Martin", "Nakamura", "Okafor", "Patel", "Quinn", "Rossi", "Silva", "Tanaka", "Umarov",
    "Varga", "Walker", "Xu", "Yilmaz", "Zhang", "Nguyen", "Brown", "Cohen", "Murphy",
];

/// A place with everything that must agree about it.
pub(super) struct Place {
    pub city: &'static str,
    pub region: &'static str,
    pub region_code: &'static str,
    pub country: &'static str,
    pub code: &'static str,
    pub code3: &'static str,
    pub lat: f64,
    pub lon: f64,
    pub zone: &'static str,
    pub currency: &'static str,
    pub language: &'static str,
    pub dial: &'static str,
    /// `#` is a digit, `?` an upper-case letter.
    pub zip: &'static str,
    pub airport: &'static str,
}

macro_rules! places {
    ($($city:literal $region:literal $rc:literal $country:literal $code:literal $code3:literal $lat:literal $lon:literal
       $zone:literal $currency:literal $language:literal $dial:literal $zip:literal $airport:literal;)*) => {
        &[$(Place { city: $city, region: $region, region_code: $rc, country: $country, code: $code, code3: $code3,
            lat: $lat, lon: $lon, zone: $zone, currency: $currency, language: $language, dial: $dial, zip: $zip,
            airport: $airport }),*]
    };
}

/// Cities on six continents.
pub(super) const PLACES: &[Place] = places![
    "Austin" "Texas" "TX" "United States" "US" "USA" 30.2672 -97.7431 "America/Chicago" "USD" "en" "+1" "787##" "AUS";
    "Seattle" "Washington" "WA" "United States" "US" "USA" 47.6062 -122.3321 "America/Los_Angeles" "USD" "en" "+1" "981##" "SEA";
    "Boston" "Massachusetts" "MA" "United States" "US" "USA" 42.3601 -71.0589 "America/New_York" "USD" "en" "+1" "021##" "BOS";
    "Toronto" "Ontario" "ON" "Canada" "CA" "CAN" 43.6532 -79.3832 "America/Toronto" "CAD" "en" "+1" "M5? #?#" "YYZ";
    "London" "England" "ENG" "United Kingdom" "GB" "GBR" 51.5074 -0.1278 "Europe/London" "GBP" "en" "+44" "SW# #??" "LHR";
    "Paris" "Île-de-France" "IDF" "France" "FR" "FRA" 48.8566 2.3522 "Europe/Paris" "EUR" "fr" "+33" "750##" "CDG";
    "Berlin" "Berlin" "BE" "Germany" "DE" "DEU" 52.52 13.405 "Europe/Berlin" "EUR" "de" "+49" "101##" "BER";
    "Madrid" "Madrid" "MD" "Spain" "ES" "ESP" 40.4168 -3.7038 "Europe/Madrid" "EUR" "es" "+34" "280##" "MAD";
    "Stockholm" "Stockholm" "AB" "Sweden" "SE" "SWE" 59.3293 18.0686 "Europe/Stockholm" "SEK" "sv" "+46" "111 ##" "ARN";
    "Tokyo" "Tokyo" "13" "Japan" "JP" "JPN" 35.6762 139.6503 "Asia/Tokyo" "JPY" "ja" "+81" "1##-####" "HND";
    "Singapore" "Singapore" "SG" "Singapore" "SG" "SGP" 1.3521 103.8198 "Asia/Singapore" "SGD" "en" "+65" "0#####" "SIN";
    "Mumbai" "Maharashtra" "MH" "India" "IN" "IND" 19.076 72.8777 "Asia/Kolkata" "INR" "hi" "+91" "4000##" "BOM";
    "Sydney" "New South Wales" "NSW" "Australia" "AU" "AUS" -33.8688 151.2093 "Australia/Sydney" "AUD" "en" "+61" "20##" "SYD";
    "São Paulo" "São Paulo" "SP" "Brazil" "BR" "BRA" -23.5505 -46.6333 "America/Sao_Paulo" "BRL" "pt" "+55" "01###-###" "GRU";
    "Nairobi" "Nairobi" "30" "Kenya" "KE" "KEN" -1.2921 36.8219 "Africa/Nairobi" "KES" "sw" "+254" "001##" "NBO";
    "Mexico City" "CDMX" "CMX" "Mexico" "MX" "MEX" 19.4326 -99.1332 "America/Mexico_City" "MXN" "es" "+52" "06###" "MEX";
];

/// Street names.
pub(super) const STREETS: &[&str] = &[
    "Maple Street",
    "Oak Avenue",
    "Harbour Road",
    "Station Road",
    "Mill Lane",
    "Park Avenue",
    "King Street",
    "River Drive",
    "Hill Road",
    "Market Street",
    "Garden Way",
    "Lake View",
];

/// First halves of company names.
pub(super) const COMPANY_HEAD: &[&str] = &[
    "Northwind",
    "Blue Harbor",
    "Summit",
    "Cedar",
    "Brightline",
    "Redwood",
    "Lumen",
    "Atlas",
    "Evergreen",
    "Quarry",
    "Silverlake",
    "Juniper",
    "Meridian",
    "Copperfield",
];

/// Second halves of company names.
pub(super) const COMPANY_TAIL: &[&str] =
    &["Labs", "Systems", "Logistics", "Foods", "Health", "Media", "Partners", "Energy", "Group", "Works"];

/// Occupations.
pub(super) const JOBS: &[&str] = &[
    "Software Engineer",
    "Account Manager",
    "Product Designer",
    "Data Analyst",
    "Operations Lead",
    "Nurse",
    "Sales Director",
    "Teacher",
    "Project Manager",
    "Accountant",
];

/// Roles in a team or system.
pub(super) const ROLES: &[&str] = &["admin", "member", "editor", "viewer", "owner"];

/// Words put before a noun to name a thing.
pub(super) const ADJECTIVES: &[&str] = &[
    "Standard",
    "Premium",
    "Classic",
    "Compact",
    "Northern",
    "Central",
    "Primary",
    "Modern",
    "Essential",
    "Quarterly",
    "Coastal",
    "Advanced",
    "Original",
    "Green",
    "Silver",
    "Daily",
    "Regional",
    "Urban",
    "Select",
    "Pilot",
];

/// Things that are sold.
pub(super) const PRODUCTS: &[&str] = &[
    "Desk Lamp",
    "Water Bottle",
    "Running Shoes",
    "Wireless Headphones",
    "Ceramic Mug",
    "Backpack",
    "Office Chair",
    "Notebook",
    "Rain Jacket",
    "Coffee Grinder",
    "Bluetooth Speaker",
    "Yoga Mat",
    "Travel Pillow",
    "Keyboard",
];

/// Categories of things.
pub(super) const CATEGORIES: &[&str] = &[
    "general",
    "home",
    "outdoor",
    "electronics",
    "food",
    "health",
    "travel",
    "education",
    "sports",
    "music",
];

/// Short labels.
pub(super) const TAGS: &[&str] = &[
    "new", "featured", "urgent", "internal", "draft", "seasonal", "popular", "beta", "review", "public",
    "archive", "priority",
];

/// Colours.
pub(super) const COLORS: &[&str] = &["blue", "green", "red", "black", "white", "silver", "orange", "teal"];

/// Names of animals kept at home.
pub(super) const PETS: &[&str] =
    &["Milo", "Luna", "Biscuit", "Nala", "Oscar", "Pepper", "Ziggy", "Hazel", "Bruno", "Coco"];

/// Dishes.
pub(super) const DISHES: &[&str] = &[
    "Margherita Pizza",
    "Chicken Tikka",
    "Lentil Soup",
    "Beef Tacos",
    "Pad Thai",
    "Caesar Salad",
    "Mushroom Risotto",
    "Fish and Chips",
    "Falafel Wrap",
    "Ramen",
];

/// Titles of works: books, films, songs.
pub(super) const WORKS: &[&str] = &[
    "The Long Harbour",
    "Glass Meridian",
    "A Quiet Orbit",
    "Winter Signals",
    "Paper Lanterns",
    "The Salt Road",
    "Night Over Lisbon",
    "Second Horizon",
    "The Clockmaker's Garden",
    "Blue Static",
];

/// Genres of works.
pub(super) const GENRES: &[&str] =
    &["drama", "comedy", "documentary", "thriller", "fantasy", "jazz", "rock", "history"];

/// Weather in words.
pub(super) const SKIES: &[&str] =
    &["Clear", "Partly cloudy", "Light rain", "Overcast", "Sunny", "Scattered showers"];

/// Sentences about a thing; `{}` becomes its noun.
pub(super) const SENTENCES: &[&str] = &[
    "This {} was reviewed and is up to date.",
    "A {} for everyday use.",
    "Covers the main points of the {}.",
    "{} prepared for the team's weekly planning.",
    "Includes all details needed for the {}.",
    "{} with the standard settings.",
    "Please check the {} before Friday.",
    "Initial version of the {}.",
];

/// What people write.
pub(super) const REMARKS: &[&str] = &[
    "Looks good to me, thanks!",
    "Could we move this to next week?",
    "Works as described.",
    "Great value, would recommend.",
    "Please see the attached details.",
    "Following up on our last conversation.",
    "Confirmed, see you then.",
    "Slight delay, otherwise fine.",
    "Happy with the result.",
    "Can you share the latest numbers?",
];

/// States in which a thing usually is.
pub(super) const STATES: &[&str] = &["active", "pending", "completed", "active", "open"];

/// Plain words, where text is asked for and nothing says of what kind.
pub(super) const WORDS: &[&str] = &[
    "alpha", "river", "north", "cedar", "signal", "amber", "delta", "harbor", "lumen", "orbit", "prairie",
    "quartz", "summit", "tundra", "willow", "zenith", "basic", "standard", "main", "sample",
];

/// File endings with their media types.
pub(super) const FILES: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("csv", "text/csv"),
    ("txt", "text/plain"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
];

/// Ticker symbols that belong to nobody in particular.
pub(super) const TICKERS: &[&str] = &["NWND", "BLHB", "SMMT", "LUMN", "ATLS", "EVGN", "QRRY", "JNPR"];

/// Units.
pub(super) const UNITS: &[&str] = &["kg", "pcs", "m", "l", "hours"];

/// Week days.
pub(super) const DAYS: &[&str] =
    &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Months.
pub(super) const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
