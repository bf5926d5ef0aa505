//! Forms, JSON, multipart, files and iterators: what httpbin has understood of them.

use crate::curl::curl;
use crate::peer::{Httpbin, Nginx};
use crate::support::session;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock::{Multipart, Part, Request, RequestBody};

fn seen(request: Request<'_>) -> Value {
    let mut response = request.send().unwrap();
    assert_eq!(response.status(), 200);
    response.json().unwrap()
}

#[test]
fn queries_and_forms_arrive() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let pairs = [("a", "1"), ("b", "x y+z&=%"), ("a", "ü\r\n☃"), ("", "no name"), ("empty", "")];
    let expected = json!({"a": ["1", "ü\r\n☃"], "b": "x y+z&=%", "": "no name", "empty": ""});
    let mut with_first = expected.clone();
    with_first["first"] = json!("0");
    assert_eq!(seen(session.get(httpbin.url("/get?first=0")).query(pairs))["args"], with_first);
    for method in ["post", "put", "patch", "delete"] {
        let request = session
            .request(method.to_uppercase().parse().unwrap(), httpbin.url(&format!("/{method}")));
        let seen = seen(request.form(pairs));
        assert_eq!((&seen["form"], &seen["data"]), (&expected, &json!("")));
        assert_eq!(seen["headers"]["Content-Type"], "application/x-www-form-urlencoded");
    }
}

#[test]
fn json_arrives() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let value = json!({"name": "ü☃\u{1f600}\"\\", "list": [1, -2.5, null, true], "deep": {"": {}}});
    let session = session();
    let echoed = seen(session.post(httpbin.url("/post")).json(&value));
    assert_eq!(
        (&echoed["json"], &echoed["headers"]["Content-Type"]),
        (&value, &json!("application/json"))
    );
    assert!(echoed["headers"]["Content-Length"].is_string());
    let own = session.post(httpbin.url("/post")).header("Content-Type", "application/x+json");
    let echoed = seen(own.json(&[1]));
    assert_eq!(
        (&echoed["json"], &echoed["headers"]["Content-Type"]),
        (&json!([1]), &json!("application/x+json"))
    );
}

/// A file in a folder of its own, which end with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("waterclock-sent-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.0.parent().map(std::fs::remove_dir_all);
    }
}

#[test]
fn multipart_arrives() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let file = Scratch::new("sn\"ow.txt", "line\r\n\u{2603}\n".as_bytes());
    let form = || {
        let form = Multipart::new().text("field", "välue").text("field", "again").text("empty", "");
        let form =
            form.text("quo\"ted", "--not a boundary\r\n--\r\n").file("file", &file.0).unwrap();
        form.part(Part::new("raw", vec![0, 1, 0xff]).file_name("r.bin").content_type("x/y"))
    };
    let expected = |kind: &str| {
        json!({
            "form": {"field": ["välue", "again"], "empty": "", "quo\"ted": "--not a boundary\r\n--\r\n"},
            "files": {"file": "line\r\n\u{2603}\n", "raw": "data:x/y;base64,AAH/"},
            "kind": kind,
        })
    };
    let summary = |mut seen: Value| {
        let kind = seen["headers"]["Content-Type"].as_str().unwrap();
        let kind = kind.split(';').next().unwrap().to_owned();
        json!({"form": seen["form"].take(), "files": seen["files"].take(), "kind": kind})
    };
    let whole = seen(session.post(httpbin.url("/post")).multipart(form()));
    assert!(whole["headers"]["Content-Length"].is_string());
    assert_eq!(summary(whole), expected("multipart/form-data"));
    // A part of unknown length makes the whole form chunked.
    let pieces = RequestBody::chunks(["one,", "two"].into_iter());
    let form = form().part(Part::new("pieces", pieces).file_name("p.csv"));
    let chunked = seen(session.put(httpbin.url("/put")).multipart(form));
    assert_eq!(chunked["headers"]["Transfer-Encoding"], "chunked");
    assert_eq!(chunked["files"]["pieces"], "one,two");
    assert_eq!(chunked["form"], expected("")["form"]);
}

/// The same form, said to both: httpbin must understand the same.
#[test]
fn multipart_is_that_of_curl() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let file = Scratch::new("page.html", b"<p>page</p>");
    let url = httpbin.url("/post");
    let upload = format!("file=@{}", file.0.display());
    let arguments = ["-F", "a=1", "-F", "a=two words", "-F", "q\"=v", "-F", &upload, &url];
    let Some((0, theirs)) = curl(&arguments) else { return };
    let theirs: Value = serde_json::from_str(&theirs).unwrap();
    let form = Multipart::new().text("a", "1").text("a", "two words").text("q\"", "v");
    let ours = seen(session().post(url).multipart(form.file("file", &file.0).unwrap()));
    for key in ["form", "files", "data", "json", "args"] {
        assert_eq!(theirs[key], ours[key], "{key}");
    }
}

#[test]
fn files_and_iterators_arrive() {
    let (Some(httpbin), Some(nginx)) = (Httpbin::shared(), Nginx::start()) else { return };
    let text: String = (0..5_000).map(|number| format!("{number},")).collect();
    let scratch = Scratch::new("numbers.csv", text.as_bytes());
    let open = || std::fs::File::open(&scratch.0).unwrap();
    let session = nginx.session();
    let echoed = seen(session.post(httpbin.url("/anything")).body_file(open()));
    assert_eq!(
        (&echoed["data"], &echoed["headers"]["Content-Length"]),
        (&json!(text), &json!(text.len().to_string()))
    );
    let pieces = |text: String| {
        RequestBody::chunks(
            (0..5_000).map(|number| format!("{number},")).chain([String::new(), text]),
        )
    };
    let echoed = seen(session.post(httpbin.url("/anything")).body(pieces("end".into())));
    assert_eq!(
        (&echoed["data"], &echoed["headers"]["Transfer-Encoding"]),
        (&json!(text.clone() + "end"), &json!("chunked"))
    );
    for base in nginx.urls("/store") {
        for (name, body) in [
            ("file", RequestBody::file(open()).unwrap()),
            ("pieces", pieces(String::new())),
            ("bytes", text.clone().into()),
        ] {
            let url = format!("{base}/{name}");
            let expected = if base.starts_with("https") { 204 } else { 201 };
            assert_eq!(session.put(&url).body(body).send().unwrap().status(), expected);
            assert!(session.get(&url).send().unwrap().text().unwrap() == text, "{url}");
        }
    }
}

#[test]
fn the_same_body_is_sent_twice_where_it_must() {
    let Some(httpbin) = Httpbin::shared() else { return };
    let session = session();
    let scratch = Scratch::new("twice.txt", b"sent twice");
    let url = httpbin.url("/redirect-to?status_code=307&url=/anything");
    let file = std::fs::File::open(&scratch.0).unwrap();
    assert_eq!(seen(session.post(&url).body_file(file))["data"], "sent twice");
    let form = Multipart::new().text("a", "1").file("file", &scratch.0).unwrap();
    let echoed = seen(session.post(&url).multipart(form));
    assert_eq!(
        (&echoed["form"], &echoed["files"]),
        (&json!({"a": "1"}), &json!({"file": "sent twice"}))
    );
    assert_eq!(seen(session.post(&url).json(&json!({"a": [1]})))["json"], json!({"a": [1]}));
}
