//! From the command line to a request.

use crate::address;
use crate::args::{Data, Options};
use crate::items::{HeaderItem, Item, Value, parse};
use crate::signal::Stdin;
use std::fs::File;
use waterclock::{CancelHandle, Error, Limit, Method, PreparedRequest, Request, Session};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What the words say, before anything is opened or looked up.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) method: Method,
    pub(crate) url: String,
    headers: Vec<HeaderItem>,
    /// The fields as a body, with its type.
    fields: Option<(Vec<u8>, &'static str)>,
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
        let (mut query, mut fields) = (Vec::new(), Vec::<(String, Value)>::new());
        for item in items {
            match parse(item)? {
                Item::Header(header) => headers.push(header),
                Item::Query(name, value) => query.push((name, value)),
                Item::Field(name, value) => {
                    fields.retain(|(known, _)| *known != name);
                    fields.push((name, value));
                }
            }
        }
        let has_data = !matches!(options.data, Data::None);
        if has_data && !fields.is_empty() {
            return Err("there are two bodies: fields, and --data or --stdin".to_owned());
        }
        let implied = if has_data || !fields.is_empty() { Method::Post } else { Method::Get };
        let fields = (!fields.is_empty()).then(|| encode(&fields, options.form)).transpose()?;
        Ok(Plan {
            method: method.unwrap_or(implied),
            url: address::with_query(&address::with_scheme(url), &query),
            headers,
            fields,
        })
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
        let mut implied_type = None;
        if let Some((body, media)) = self.fields {
            implied_type = Some(media);
            request = request.body(body);
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
                let file = File::open(path).map_err(|error| unreadable(&shown, error))?;
                let meta = file.metadata().map_err(|error| unreadable(&shown, error))?;
                request = request.body_reader(file, meta.is_file().then_some(meta.len()));
            }
            Data::Stdin => {
                let stdin = Stdin::new(limits.get(Limit::Total), cancel)
                    .map_err(|error| unreadable("standard input", error))?;
                request = request.body_reader(stdin, None);
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

/// The fields as JSON, in the order in which they were given, or as a form.
fn encode(fields: &[(String, Value)], form: bool) -> Result<(Vec<u8>, &'static str), String> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    if !form {
        let members = fields.iter().map(|(name, value)| match value {
            Value::Text(text) => format!("{}:{}", quoted(name), quoted(text)),
            Value::Json(json) => format!("{}:{json}", quoted(name)),
        });
        let members = members.collect::<Vec<_>>().join(",");
        return Ok((format!("{{{members}}}").into_bytes(), JSON));
    }
    let pairs = fields.iter().map(|(name, value)| match value {
        Value::Text(text) => Ok((name.clone(), text.clone())),
        Value::Json(json) if json.starts_with(['{', '[']) => {
            Err(format!("a form cannot hold the JSON of \"{}\"", name.escape_debug()))
        }
        Value::Json(json) => Ok((name.clone(), json.clone())),
    });
    let pairs = pairs.collect::<Result<Vec<_>, String>>()?;
    Ok((address::form(&pairs).into_bytes(), FORM))
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
        let (body, media) = plan(words).unwrap().fields.unwrap();
        (String::from_utf8(body).unwrap(), media)
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
    fn what_contradicts_itself_is_refused() {
        assert!(plan(&[]).unwrap_err().contains("no URL"));
        assert!(plan(&["h.test", "a=b", "-d", "x"]).unwrap_err().contains("two bodies"));
        assert!(plan(&["--form", "h.test", "a:=[1]"]).unwrap_err().contains("form"));
        assert!(plan(&["-X", "A B", "h.test"]).unwrap_err().contains("method"));
    }

    #[test]
    fn headers_can_be_removed() {
        let options = options(&["h.test", "-H", "Accept:", "User-Agent:", "X:1"]);
        assert_eq!(removed(&options).collect::<Vec<_>>(), ["Accept", "User-Agent"]);
    }
}
