//! Kinds of values, and the names that tell them.

use std::sync::LazyLock;

/// What a value is about. Together with its JSON type this decides how it looks: a `Time` may be
/// RFC 3339 text, a date, or seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    // people
    FirstName,
    MiddleName,
    LastName,
    FullName,
    Username,
    Email,
    Phone,
    Gender,
    Job,
    Role,
    Company,
    // places
    Street,
    Unit2,
    City,
    State,
    Country,
    CountryCode,
    Zip,
    Address,
    Lat,
    Lon,
    Zone,
    Airport,
    // money
    Currency,
    Money,
    // net
    Url,
    ImageUrl,
    Domain,
    Ip,
    UserAgent,
    // ids
    Id,
    Uuid,
    Slug,
    Code,
    Token,
    Hash,
    Sku,
    Cursor,
    Reference,
    /// A number that names something: never reckoned with.
    Serial,
    // text
    Name,
    Title,
    Description,
    Remark,
    Message,
    Label,
    // states
    Status,
    Type,
    Category,
    Tag,
    Flag,
    Fault,
    // files
    FileName,
    Path,
    Mime,
    Extension,
    Size,
    // time
    Time,
    Clock,
    Duration,
    Year,
    Month,
    Day,
    Weekday,
    // other words
    Language,
    Locale,
    Color,
    Unit,
    Version,
    Level,
    Ticker,
    Genre,
    Sky,
    Method,
    // numbers
    Count,
    Quantity,
    Percent,
    Rating,
    Score,
    Ratio,
    Age,
    Temperature,
    Humidity,
    Speed,
    Pressure,
    Weight,
    Length,
    Pixels,
    Port,
    Page,
    Limit,
    Offset,
    Position,
    HttpStatus,
    /// Nothing known.
    Plain,
}

/// The kind of a name whose words, joined, are `key`.
pub(super) fn kind_of(key: &str) -> Option<Kind> {
    let table = &*TABLE;
    let mut at = hash(key);
    while let Some(Some((name, kind))) = table.get(at % SLOTS) {
        if *name == key {
            return Some(*kind);
        }
        at += 1;
    }
    None
}

/// Slots of the table below: enough that hardly any name needs a second look.
const SLOTS: usize = 4_096;

/// FNV-1a; the names are few and fixed, so nobody can choose them to collide.
fn hash(key: &str) -> usize {
    key.bytes().fold(0xcbf2_9ce4u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193)) as usize
}

/// [`GROUPS`] by name, found by hash: a record has many names, and each is looked up a few times.
static TABLE: LazyLock<Vec<Option<(&'static str, Kind)>>> = LazyLock::new(|| {
    let mut table = vec![None; SLOTS];
    for (kind, names) in GROUPS {
        for name in names.split_whitespace() {
            let mut at = hash(name);
            while table.get(at % SLOTS).is_some_and(Option::is_some) {
                at += 1;
            }
            if let Some(slot) = table.get_mut(at % SLOTS) {
                *slot = Some((name, *kind));
            }
        }
    }
    table
});

use Kind::*;

/// Names, their words joined, by kind. A name stands once; a test sees to it.
static GROUPS: &[(Kind, &str)] = &[
    (FirstName, "firstname fname forename givenname"),
    (MiddleName, "middleinitial middlename"),
    (LastName, "familyname lastname lname surname"),
    (
        FullName,
        "actor approvedby artist assignedto assignee attendee author authorname cardholdername \
         ceo changedby composer contact contactname contactperson createdby creator customername \
         deletedby director doctor driver editor employee founder fullname guest holdername \
         instructor lastmodifiedby lastupdatedby manager modifiedby organizer owner ownername \
         passenger patient personname player recipient recipientname reporter requestedby \
         salesperson sendername singer student submittedby teacher updatedby writer",
    ),
    (Username, "accountname alias handle login loginname nickname screenname userhandle username"),
    (Email, "contactemail email emailaddress mail useremail"),
    (
        Phone,
        "cell cellphone contactnumber fax faxnumber mobile mobilenumber mobilephone msisdn phone \
         phonenumber tel telephone telephonenumber whatsapp",
    ),
    (Gender, "gender sex"),
    (Job, "designation jobrole jobtitle occupation profession"),
    (Role, "accesslevel permission role userrole"),
    (
        Company,
        "agency airline airlinename bank bankname brand brandname business businessname carrier \
         carriername company companyname employer institution institutionname legalname \
         manufacturer merchant merchantname organisation organisationname organization \
         organizationname partner provider providername publisher seller sellername studio \
         supplier suppliername vendor vendorname",
    ),
    (Street, "addr1 address1 addressline addressline1 line1 street street1 streetaddress streetname"),
    (Unit2, "addr2 address2 addressline2 apartment line2 street2 suite"),
    (
        City,
        "arrivalcity birthplace city cityname departurecity destination destinationcity hometown \
         locality municipality origincity town village",
    ),
    (
        State,
        "administrativearea county district province provincecode provincename region regionname \
         statecode statename subdivision",
    ),
    (Country, "country countryname nation nationality"),
    (CountryCode, "alpha2 countryalpha2 countrycode countryiso countryiso2 iso2 isocountrycode"),
    (Zip, "plz postal postalcode postcode zip zipcode"),
    (
        Address,
        "address addresstext billingaddress deliveryaddress dropofflocation formattedaddress \
         fulladdress homeaddress location locationname pickuplocation place placename \
         shippingaddress venue venuename",
    ),
    (Lat, "lat latitude"),
    (Lon, "lng lon long longitude"),
    (Zone, "timezone timezoneid timezonename tz tzid"),
    (Airport, "airport airportcode arrivalairport departureairport iata iatacode"),
    (Currency, "basecurrency ccy currency currencycode currencyiso quotecurrency targetcurrency"),
    (
        Money,
        "amount ask balance bid bonus budget charge charges cost credit debit deposit discount \
         fare fee fees grandtotal grossamount income interest listprice marketcap netamount \
         payment premium price principal principalamount profit refund rent revenue salary \
         saleprice shippingcost spend spent subtotal tax taxes totalamount totalcost \
         totalprice unitprice wage",
    ),
    (
        Url,
        "baseurl callbackurl download downloadurl endpoint homepage href link nextlink permalink \
         redirecturl self selflink site uri url video videourl webhook webhookurl website \
         websiteurl weburl",
    ),
    (
        ImageUrl,
        "avatar avatarurl banner cover coverimage gravatarurl icon iconurl image imageurl img \
         logo logourl photo photourl picture pictureurl poster posterurl screenshot thumb \
         thumbnail thumbnailurl",
    ),
    (Domain, "domain domainname fqdn host hostname server servername"),
    (Ip, "clientip ip ipaddr ipaddress ipv4 privateip publicip remoteip"),
    (UserAgent, "browser useragent"),
    (
        Id,
        "accountnumber cardnumber confirmationnumber externalid gid guid id identifier ids nodeid \
         objectid oid passportnumber pid policynumber serialnumber sid trackingnumber uid",
    ),
    (Uuid, "uuid"),
    (Slug, "permalinkslug slug urlslug"),
    (Code, "bookingcode code confirmationcode couponcode discountcode pnr promocode shortcode"),
    (
        Token,
        "accesstoken apikey authtoken bearer clientsecret jwt passphrase password privatekey \
         publickey refreshtoken secret secretkey sessiontoken token",
    ),
    (
        Hash,
        "checksum commit commitid commitsha contenthash digest etag fingerprint hash md5 revision \
         sha sha1 sha256 signature",
    ),
    (Sku, "asin barcode ean gtin isbn mpn productcode sku upc"),
    (
        Cursor,
        "after before continuationtoken cursor next nextcursor nextpage nextpagelink \
         nextpagetoken nextpageurl nexttoken pagetoken paginationtoken prev prevcursor previous \
         previouscursor previouspage prevpage prevpageurl scrollid",
    ),
    (
        Reference,
        "arn casenumber correlationid externalreference flightno flightnumber invoiceno \
         invoicenumber key orderno ordernumber ref reference referencenumber requestid resourceid \
         ticketnumber traceid transactionnumber",
    ),
    (Name, "commonname displayname friendlyname longname name shortname"),
    (Title, "heading headline question subject title topic"),
    (
        Description,
        "about abstract bio definition desc description detail details excerpt explanation info \
         information instructions longdescription overview purpose shortdescription snippet \
         summary synopsis",
    ),
    (
        Remark,
        "annotation body caption comment comments content feedback note notes quote remark \
         remarks reply review reviewtext text transcript",
    ),
    (
        Message,
        "message msg responsemessage resultmessage statusdescription statusmessage statusmsg \
         statustext",
    ),
    (Label, "label tagline"),
    (
        Status,
        "condition currentstatus lifecycle orderstatus outcome paymentstatus phase \
         provisioningstate stage state status",
    ),
    (Type, "entitytype kind object objecttype resourcetype type"),
    (
        Category,
        "category categoryname channel collection cuisine department group groupname industry \
         section sector segment team theme",
    ),
    (Tag, "amenities amenity hashtag hashtags interests keyword keywords skill skills tag tags"),
    (
        Flag,
        "active archived available blocked default deleted deprecated disabled done enabled \
         favorite favourite featured finished hasmore hidden incomplete locked ok paid primary \
         private public published readonly required selected starred success truncated valid \
         verified visible",
    ),
    (
        Fault,
        "error errorcode errordescription errordetail errordetails errormessage errors exception \
         failuremessage failurereason faultcode lasterror stacktrace warning warnings",
    ),
    (FileName, "attachmentname documentname file filename originalfilename"),
    (Path, "directory filelocation filepath folder folderpath fullpath path"),
    (Mime, "contenttype filetype mediatype mime mimetype"),
    (Extension, "ext extension fileextension fileformat"),
    (Size, "bytes contentlength filesize filesizebytes size sizebytes sizeinbytes sizekb sizemb"),
    (
        Time,
        "asof at birthdate birthday changed checkin checkout closed completed created createdon \
         createtime date dateofbirth datetime deadline dob due duedate ended endtime epoch eta \
         etd expiration expires expiry joined lastlogin lastmodified lastseen lastupdated \
         modified modifiedon registered since started starttime submitted time timestamp until \
         updated updatedon updatetime when",
    ),
    (Clock, "closetime closingtime openingtime opentime sunrise sunset timeofday"),
    (
        Duration,
        "cooktime delay duration durationminutes durationms durationseconds elapsed elapsedtime \
         expiresin hours interval latency milliseconds minutes preptime readytime responsetime \
         runtime seconds timeout took tookms traveltime ttl uptime",
    ),
    (Year, "birthyear expyear fiscalyear founded foundingyear modelyear releaseyear year yearfounded"),
    (Month, "expmonth month monthname"),
    (Day, "day dayofmonth days"),
    (Weekday, "dayname dayofweek weekday"),
    (
        Language,
        "lang language languagecode languagename originallanguage sourcelanguage spokenlanguage \
         targetlanguage",
    ),
    (Locale, "culture locale"),
    (Color, "backgroundcolor color colorcode colour hexcolor textcolor"),
    (Unit, "measure measurement unit unitofmeasure units uom"),
    (Version, "apiversion appversion build release schemaversion softwareversion version"),
    (
        Level,
        "difficulty grade impact importance level plan priority risk risklevel severity tier \
         urgency visibility",
    ),
    (Ticker, "stocksymbol symbol ticker tickersymbol"),
    (Genre, "genre genres"),
    (Sky, "conditions forecast sky weather weathercondition weatherdescription"),
    (Method, "httpmethod method requestmethod verb"),
    (
        Count,
        "attempts capacity clicks count downloads followers following forks hits impressions \
         inventory itemcount likes members num numberof numitems numresults population \
         progresscount recordcount recordsfiltered recordstotal remaining replies resultcount \
         resultscount retries reviews rowcount shares stars stock subscribers total totalcount \
         totalelements totalhits totalitems totalrecords totalresults totalrows usage used views \
         visits votes watchers",
    ),
    (
        Quantity,
        "adults bathrooms bedrooms beds children copies guests itemsquantity nights participants \
         passengers people qty quantity rooms seats",
    ),
    (
        Percent,
        "changepercent cloudcover cloudiness completion discountpercent discountrate interestrate \
         pct percent percentage percentchange percentcomplete progress taxrate",
    ),
    (Rating, "gpa averagerating avgrating rating ratings ratingvalue reviewscore userrating"),
    (Score, "elo goals karma points relevance score xp"),
    (
        Ratio,
        "accuracy certainty coefficient confidence conversionrate exchangerate factor fraction \
         likelihood multiplier probability rate ratio relevancescore similarity",
    ),
    (Age, "age years"),
    (
        Temperature,
        "dewpoint feelslike heatindex maxtemp mintemp temp tempc temperature temperaturemax \
         temperaturemin tempmax tempmin windchill",
    ),
    (Humidity, "humidity relativehumidity"),
    (Speed, "bandwidth gust speed throughput velocity wind windgust windspeed"),
    (Pressure, "airpressure pressure"),
    (Weight, "calories carbs fat fiber grossweight mass netweight protein sodium sugar weight"),
    (
        Length,
        "altitude area depth diameter distance elevation height length mileage odometer perimeter \
         radius range thickness",
    ),
    (Pixels, "heightpx imageheight imagewidth screenheight screenwidth width widthpx"),
    (Port, "port"),
    (
        Page,
        "currentpage lastpage numpages page pagecount pageindex pageno pagenumber pages \
         totalpages",
    ),
    (Limit, "batchsize itemsperpage limit max maxresults pagelimit pagesize perpage resultsperpage"),
    (Offset, "offset skip startindex"),
    (
        Position,
        "column displayorder index line order ordinal position priorityorder rank row seq \
         sequence sortorder",
    ),
    (HttpStatus, "httpcode httpstatus httpstatuscode responsecode statuscode httpresponsecode"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_is_found() {
        let mut seen = std::collections::BTreeSet::new();
        for (kind, names) in GROUPS {
            for name in names.split_whitespace() {
                assert!(seen.insert(name), "{name} stands twice");
                assert_eq!(kind_of(name), Some(*kind));
            }
        }
        assert!(2 * seen.len() < SLOTS);
        assert_eq!(kind_of(""), None);
        assert_eq!(kind_of("frobnicator"), None);
    }
}
