//! From the command line to a request.

use crate::address;
use crate::args::{Data, Options};
use crate::items::{HeaderItem, Item, Value, parse};
use crate::parts::PartItem;
use crate::signal::Stdin;
use std::fs::File;
use waterclock::{
    Auth, CancelHandle, Error, Limit, Method, Multipart, PreparedRequest, Request, RequestBody,
    Session,
};

const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

/// What the words say, before anything is opened or looked up.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<HeaderItem>,
    pub(crate) fields: Fields,
    /// Names of headers that stay with the URL's origin, as credentials do in any case.
    pub(crate) bound: Vec<String>,
    /// Cookies for this call only.
    pub(crate) cookies: Vec<(String, String)>,
    /// In place of what the session and the URL have.
    pub(crate) auth: Option<Auth>,
}

/// What the fields come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fields {
    None,
    /// A body with its type.
    Encoded(Vec<u8>, &'static str),
    /// A form with files.
    Parts(Vec<PartItem>),
}

impl Plan {
    /// # Errors
    /// In words, for a command line that cannot be used.
    pub(crate) fn read(options: &Options) -> Result<Self, String> {
        let (method, words) = method(options)?;
        let Some((url, items)) = words.split_first() else {
            return Err("there is no URL; try `waterclock -h`".to_owned());
        };
        let mut headers = options.headers.clone();
        let (mut query, mut fields) = (Vec::new(), Vec::<Field>::new());
        for item in items {
            match parse(item)? {
                Item::Header(header) => headers.push(header),
                Item::Query(name, value) => query.push((name, value)),
                Item::Field(name, value) => fields.push(Field::Value(name, value)),
                Item::File(part) => fields.push(Field::Part(part)),
            }
        }
        fields.extend(options.parts.iter().cloned().map(Field::Part));
        let has_data = !matches!(options.data, Data::None);
        if has_data && !fields.is_empty() {
            return Err("there are two bodies: fields, and --data or --stdin".to_owned());
        }
        let implied = if has_data || !fields.is_empty() { Method::Post } else { Method::Get };
        let fields = encode(fields, options)?;
        Ok(Plan {
            method: method.unwrap_or(implied),
            url: address::with_query(&address::with_scheme(url), &query),
            headers,
            fields,
            bound: Vec::new(),
            cookies: Vec::new(),
            auth: None,
        })
    }

    /// Takes those of `headers`, which are kept for one origin, that the command line has not.
    pub(crate) fn inherit(&mut self, headers: &[HeaderItem]) {
        self.bound = headers.iter().map(|header| header.name.clone()).collect();
        let named = |name: &str| self.headers.iter().any(|own| own.name.eq_ignore_ascii_case(name));
        let new: Vec<_> = headers.iter().filter(|header| !named(&header.name)).cloned().collect();
        self.headers.splice(0..0, new);
    }

    /// Adds a header in the place of any of that name.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.headers.push(HeaderItem { name: name.to_owned(), value: Some(value.to_owned()) });
    }

    /// The request, ready to be sent. The body is opened here.
    pub(crate) fn prepare(
        self,
        session: &Session,
        options: &Options,
        cancel: &CancelHandle,
    ) -> Result<Result<PreparedRequest, Error>, String> {
        let limits = options.limits.limits();
        let mut request = session.request(self.method, self.url).limits(limits).cancel(cancel);
        request = request.expect_continue(options.expect_continue).decode(options.decode);
        let retry = options.policy.retries().remove_headers_on_redirect(self.bound);
        request = request.redirects(options.policy.redirects()).retry(retry);
        if let Some(auth) = self.auth {
            request = request.auth(auth);
        }
        for (name, value) in &self.cookies {
            request = request.cookie(name, value);
        }
        if !options.compressed {
            request = request.header("Accept-Encoding", "identity");
        }
        let mut implied_type = None;
        match self.fields {
            Fields::None => {}
            Fields::Encoded(body, media) => {
                implied_type = Some(media);
                request = request.body(body);
            }
            Fields::Parts(parts) => {
                let mut form = Multipart::new();
                for part in &parts {
                    form = form.part(part.open()?);
                }
                request = request.multipart(form);
            }
        }
        let unreadable = |what: &str, error| format!("cannot read {what}: {error}");
        match &options.data {
            Data::None => {}
            Data::Text(text) => {
                implied_type = Some(FORM);
                request = request.body(text.clone().into_bytes());
            }
            Data::File(path) => {
                implied_type = Some(FORM);
                let shown = path.display().to_string();
                let file = File::open(path).and_then(RequestBody::file);
                request = request.body(file.map_err(|error| unreadable(&shown, error))?);
            }
            Data::Stdin => {
                request = request.body_reader(Stdin::new(limits.get(Limit::Total)), None);
            }
        }
        Ok(with_headers(request, &self.headers, implied_type).prepare())
    }
}

fn with_headers<'s>(
    mut request: Request<'s>,
    headers: &[HeaderItem],
    implied_type: Option<&'static str>,
) -> Request<'s> {
    let named = |header: &HeaderItem, name: &str| header.name.eq_ignore_ascii_case(name);
    if let Some(media) = implied_type
        && !headers.iter().any(|header| named(header, "Content-Type"))
    {
        request = request.header("Content-Type", media);
    }
    for (index, HeaderItem { name, value }) in headers.iter().enumerate() {
        let Some(value) = value else { continue };
        let seen = headers.iter().take(index).any(|earlier| named(earlier, name));
        request =
            if seen { request.append_header(name, value) } else { request.header(name, value) };
    }
    request
}

/// The names of default headers that are not to be sent.
pub(crate) fn removed<'o>(options: &'o Options) -> impl Iterator<Item = String> + 'o {
    let items = options.words.iter().filter_map(|word| match parse(word) {
        Ok(Item::Header(header)) => Some(header),
        _ => None,
    });
    let all = options.headers.iter().cloned().chain(items);
    all.filter(|header| header.value.is_none()).map(|header| header.name)
}

/// The method, and the words after it. A first word is a method if it could be one and a URL
/// follows.
fn method(options: &Options) -> Result<(Option<Method>, &[String]), String> {
    let words = options.words.as_slice();
    if let Some(name) = &options.method {
        return Ok((Some(custom(name)?), words));
    }
    match words {
        [first, rest @ ..] if !rest.is_empty() && is_method(first) => {
            Ok((Some(custom(&first.to_ascii_uppercase())?), rest))
        }
        words => Ok((None, words)),
    }
}

fn custom(name: &str) -> Result<Method, String> {
    name.parse().map_err(|error| format!("the method \"{}\": {error}", name.escape_debug()))
}

/// An upper-case word, or a method that everybody knows in any case.
fn is_method(word: &str) -> bool {
    let known = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_';
    known.iter().any(|method| word.eq_ignore_ascii_case(method))
        || (word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(upper))
}

/// A field of the command line.
enum Field {
    Value(String, Value),
    Part(PartItem),
}

/// The fields as JSON, in the order in which they were given, as a form, or as one with files.
fn encode(fields: Vec<Field>, options: &Options) -> Result<Fields, String> {
    if fields.is_empty() {
        return Ok(Fields::None);
    }
    if options.multipart || fields.iter().any(|field| matches!(field, Field::Part(_))) {
        let part = |field| match field {
            Field::Part(part) => Ok(part),
            Field::Value(name, value) => form_value(&name, value).map(|v| PartItem::text(name, v)),
        };
        return fields.into_iter().map(part).collect::<Result<_, _>>().map(Fields::Parts);
    }
    let mut last: Vec<(String, Value)> = Vec::new();
    for field in fields {
        let Field::Value(name, value) = field else { continue };
        last.retain(|(known, _)| *known != name);
        last.push((name, value));
    }
    if options.form {
        let pair = |(name, value): (String, Value)| Ok((name.clone(), form_value(&name, value)?));
        let pairs = last.into_iter().map(pair).collect::<Result<Vec<_>, String>>()?;
        return Ok(Fields::Encoded(address::form(&pairs).into_bytes(), FORM));
    }
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let members = last.iter().map(|(name, value)| match value {
        Value::Text(text) => format!("{}:{}", quoted(name), quoted(text)),
        Value::Json(json) => format!("{}:{json}", quoted(name)),
    });
    let members = members.collect::<Vec<_>>().join(",");
    Ok(Fields::Encoded(format!("{{{members}}}").into_bytes(), JSON))
}

/// A value as a form holds it.
fn form_value(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Json(json) if json.starts_with(['{', '[']) => {
            Err(format!("a form cannot hold the JSON of \"{}\"", name.escape_debug()))
        }
        Value::Json(json) => Ok(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        let words = std::iter::once("waterclock").chain(words.iter().copied());
        Options::read(&crate::args::command().try_get_matches_from(words).unwrap())
    }

    fn plan(words: &[&str]) -> Result<Plan, String> {
        Plan::read(&options(words))
    }

    fn body(words: &[&str]) -> (String, &'static str) {
        match plan(words).unwrap().fields {
            Fields::Encoded(body, media) => (String::from_utf8(body).unwrap(), media),
            fields => panic!("{fields:?}"),
        }
    }

    #[test]
    fn the_first_word_is_a_method_if_it_can_be_one() {
        let of = |words: &[&str]| {
            let plan = plan(words).unwrap();
            (plan.method.to_string(), plan.url)
        };
        assert_eq!(of(&["example.com"]), ("GET".into(), "https://example.com".into()));
        assert_eq!(of(&["put", ":/"]), ("PUT".into(), "http://localhost/".into()));
        assert_eq!(of(&["PURGE", "h.test"]), ("PURGE".into(), "https://h.test".into()));
        assert_eq!(of(&["get"]), ("GET".into(), "https://get".into()));
        assert_eq!(of(&["h.test", "a=b"]).0, "POST");
        assert_eq!(of(&["h.test", "-d", "x"]).0, "POST");
        assert_eq!(
            of(&["-X", "DELETE", "h.test", "q==1"]),
            ("DELETE".into(), "https://h.test?q=1".into())
        );
        assert_eq!(of(&["GET", "h.test", "a=b"]).0, "GET");
    }

    #[test]
    fn fields_are_json_or_a_form() {
        let (text, media) = body(&["h.test", "name=tea", "n:=3", "ok:=true"]);
        assert_eq!((text.as_str(), media), (r#"{"name":"tea","n":3,"ok":true}"#, JSON));
        let (text, media) = body(&["--form", "h.test", "name=a b", "n:=3"]);
        assert_eq!((text.as_str(), media), ("name=a+b&n=3", FORM));
    }

    #[test]
    fn a_file_makes_it_a_form_with_files() {
        for words in [
            &["h.test", "a=1", "n:=2", "f@x.txt"][..],
            &["h.test", "a=1", "n:=2", "-F", "f=@x.txt"],
        ] {
            let plan = plan(words).unwrap();
            let text = |name: &str, value: &str| PartItem::text(name.into(), value.into());
            let file = PartItem::file("f".into(), "x.txt").unwrap();
            assert_eq!(plan.fields, Fields::Parts(vec![text("a", "1"), text("n", "2"), file]));
            assert_eq!(plan.method, Method::Post);
        }
        let twice = plan(&["--multipart", "h.test", "a=1", "a=2"]).unwrap().fields;
        assert!(matches!(twice, Fields::Parts(parts) if parts.len() == 2));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(plan(&[]).unwrap_err().contains("no URL"));
        assert!(plan(&["h.test", "a=b", "-d", "x"]).unwrap_err().contains("two bodies"));
        assert!(plan(&["--form", "h.test", "a:=[1]"]).unwrap_err().contains("form"));
        assert!(plan(&["h.test", "a:=[1]", "f@x"]).unwrap_err().contains("form"));
        assert!(plan(&["h.test", "f@x", "-d", "x"]).unwrap_err().contains("two bodies"));
        assert!(plan(&["-X", "A B", "h.test"]).unwrap_err().contains("method"));
    }

    #[test]
    fn headers_can_be_removed() {
        let options = options(&["h.test", "-H", "Accept:", "User-Agent:", "X:1"]);
        assert_eq!(removed(&options).collect::<Vec<_>>(), ["Accept", "User-Agent"]);
    }
}
