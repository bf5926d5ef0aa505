//! Forms byte for byte, their lengths, and what they refuse.

mod any;

use super::*;
use crate::request::{BodySource, Streamed};
use proptest::prelude::*;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const RANDOM: [u8; 16] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef";
const BOUNDARY: &str = "0123456789abcdef0123456789abcdef";

fn body(form: Multipart) -> RequestBody {
    let (content_type, body) = form.into_body(RANDOM).unwrap();
    assert_eq!(content_type, format!("multipart/form-data; boundary={BOUNDARY}"));
    body
}

fn source(body: &mut RequestBody) -> &mut dyn Read {
    let RequestBody::Streamed(streamed) = body else { panic!("not streamed") };
    Streamed::start(streamed)
}

/// All bytes, read by pieces of that size.
fn read(body: &mut RequestBody, piece: usize) -> Vec<u8> {
    let (mut all, mut out) = (Vec::new(), vec![0; piece]);
    loop {
        match source(body).read(&mut out).unwrap() {
            0 => return all,
            count => all.extend_from_slice(&out[..count]),
        }
    }
}

/// What a form is on the wire; `|` stands for the boundary of another client.
fn assert_bytes(form: Multipart, expected: &str) {
    let mut body = body(form);
    let bytes = read(&mut body, 4096);
    let expected = expected.replace('|', BOUNDARY);
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert_eq!(body.length(), Some(expected.len() as u64));
}

/// Sent by requests 2.34 for `data=[("field", "value"), ('na"me\r\nü', "x\ny")]` and
/// `files=[("f", ('a "bü.txt', b"hello\n", "text/plain")), ("g", ("plain.bin", b"\0\1"))]`.
#[test]
fn the_bytes_are_those_of_requests() {
    let form = Multipart::new()
        .text("field", "value")
        .text("na\"me\r\nü", "x\ny")
        .part(Part::new("f", "hello\n").file_name("a \"bü.txt").content_type("text/plain"))
        .part(Part::new("g", vec![0, 1]).file_name("plain.bin"));
    assert_bytes(
        form,
        "--|\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n\
         --|\r\nContent-Disposition: form-data; name=\"na%22me%0D%0Aü\"\r\n\r\nx\ny\r\n\
         --|\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a %22bü.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nhello\n\r\n\
         --|\r\nContent-Disposition: form-data; name=\"g\"; filename=\"plain.bin\"\r\n\r\n\0\x01\r\n\
         --|--\r\n",
    );
}

/// Sent by curl 7.88 for `-F field=value -F f=@'a b".txt' -F 'na"me=x\ny'`.
#[cfg(unix)] // Windows has no such file names.
#[test]
fn the_bytes_are_those_of_curl() {
    let folder = Folder::new("curl");
    let path = folder.file("a b\".txt", b"hello\n");
    let form =
        Multipart::new().text("field", "value").file("f", path).unwrap().text("na\"me", "x\ny");
    assert_bytes(
        form,
        "--|\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n\
         --|\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b%22.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nhello\n\r\n\
         --|\r\nContent-Disposition: form-data; name=\"na%22me\"\r\n\r\nx\ny\r\n\
         --|--\r\n",
    );
}

/// The rows of the HTML Standard's algorithm; NUL is our own.
#[test]
fn names_cannot_leave_their_quotes() {
    for (name, coded) in [
        ("a\nb", "a%0D%0Ab"),
        ("a\rb", "a%0D%0Ab"),
        ("a\n\rb", "a%0D%0A%0D%0Ab"),
        ("\"; filename=\"x", "%22; filename=%22x"),
        ("x\"\r\nContent-Type: text/html\r\n\r\n", "x%22%0D%0AContent-Type: text/html%0D%0A%0D%0A"),
        ("100%22\\", "100%22\\"),
        ("a\0b\x0b\tc\x7f", "a%00b%0B\tc%7F"),
        ("名前", "名前"),
        ("", ""),
    ] {
        let head = format!("--|\r\nContent-Disposition: form-data; name=\"{coded}\"");
        assert_bytes(Multipart::new().text(name, "v"), &format!("{head}\r\n\r\nv\r\n--|--\r\n"));
    }
    let form = Multipart::new().part(Part::new("f", "").file_name("a\nb\rc\"d"));
    assert_bytes(
        form,
        "--|\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%0Ab%0Dc%22d\"\r\n\r\n\r\n\
         --|--\r\n",
    );
}

#[test]
fn an_empty_form_is_its_end() {
    assert_bytes(Multipart::new(), "--|--\r\n");
}

#[test]
fn headers_follow_in_their_order() {
    let part =
        Part::new("p", "v").header("X-A", "1").header("content-type", "a/b").header("X-B", "ü");
    assert_bytes(
        Multipart::new().part(part),
        "--|\r\nContent-Disposition: form-data; name=\"p\"\r\nContent-Type: a/b\r\n\
         X-A: 1\r\nX-B: ü\r\n\r\nv\r\n--|--\r\n",
    );
}

#[test]
fn headers_cannot_inject() {
    let refuse = |part: Part| {
        let error = Multipart::new().text("a", "b").part(part).into_body(RANDOM).unwrap_err();
        assert_eq!(error.part(), "p\n");
        error.to_string()
    };
    let part = || Part::new("p\n", "v");
    let injected = "part \"p\\n\" of the form: the value of header Content-Type has a carriage return \
                    (CR) at offset 3";
    assert_eq!(refuse(part().content_type("a/b\r\nX: y")), injected);
    assert!(
        refuse(part().header("X", "a\nb")).contains("header X has a line feed (LF) at offset 1")
    );
    assert!(refuse(part().header("X Y", "a")).contains("header name \"X Y\""));
    assert!(refuse(part().header("", "a")).contains("name is empty"));
    assert!(refuse(part().header("content-Disposition", "a")).contains("file_name; set those"));
    let mut used = RequestBody::reader(Cursor::new("x"), None);
    source(&mut used).read_exact(&mut [0]).unwrap();
    assert!(refuse(Part::new("p\n", used)).contains("was read already"));
}

#[test]
fn files_have_name_type_and_length() {
    let folder = Folder::new("files");
    for (name, media_type) in [
        ("a.PNG", "image/png"),
        ("archive.tar.gz", "application/gzip"),
        ("noextension", "application/octet-stream"),
        (".json", "application/octet-stream"),
        ("x.unknown", "application/octet-stream"),
    ] {
        let path = folder.file(name, b"content");
        assert_bytes(
            Multipart::new().file("f", path).unwrap(),
            &format!(
                "--|\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\
                 Content-Type: {media_type}\r\n\r\ncontent\r\n--|--\r\n"
            ),
        );
    }
    let missing = Part::file("f", folder.0.join("missing.txt")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    assert!(missing.to_string().contains("missing.txt: "), "{missing}");
    let directory = Multipart::new().file("f", &folder.0).unwrap_err();
    assert_eq!(directory.kind(), io::ErrorKind::IsADirectory);
}

#[test]
fn a_part_that_is_not_as_long_as_it_said() {
    let form = |said| {
        let part = Part::new("f", RequestBody::reader(Cursor::new("12345"), Some(said)));
        body(Multipart::new().part(part))
    };
    let grown = read(&mut form(3), 4096);
    assert_eq!(grown.len() as u64, form(3).length().unwrap(), "no more than was announced");
    assert!(grown.ends_with(format!("\r\n\r\n123\r\n--{BOUNDARY}--\r\n").as_bytes()));
    let error = source(&mut form(7)).read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "part \"f\" of the form ended 2 bytes before its length");
}

/// A part without bytes of its own, which counts what is asked of it.
struct Zeros {
    left: u64,
    largest: Arc<AtomicU64>,
}

impl Read for Zeros {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.largest.fetch_max(out.len() as u64, Ordering::Relaxed);
        let count = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        out[..count].fill(0);
        self.left -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_gibibyte_takes_no_memory() {
    const GIB: u64 = 1 << 30;
    let largest = Arc::new(AtomicU64::new(0));
    let zeros = Zeros { left: GIB, largest: Arc::clone(&largest) };
    let part = Part::new("big", RequestBody::reader(zeros, Some(GIB)));
    let mut body = body(Multipart::new().text("a", "b").part(part).text("c", "d"));
    let (mut out, mut sum) = (vec![0; 64 * 1024], 0);
    loop {
        match source(&mut body).read(&mut out).unwrap() {
            0 => break,
            count => sum += count as u64,
        }
    }
    assert_eq!(Some(sum), body.length());
    assert!(sum > GIB);
    // The source writes into the reader's own room: there is nothing in between.
    assert_eq!(largest.load(Ordering::Relaxed), 64 * 1024);
}

/// Bytes that come in pieces of `step`, and can come again if `again`.
struct Steps {
    bytes: Cursor<Vec<u8>>,
    step: usize,
    again: bool,
}

impl Read for Steps {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let room = out.len().min(self.step);
        self.bytes.read(&mut out[..room])
    }
}

impl BodySource for Steps {
    fn is_rewindable(&self) -> bool {
        self.again
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.bytes.set_position(0);
        if self.again { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }
}

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    bytes: Vec<u8>,
    /// In memory if `None`.
    step: Option<usize>,
    known: bool,
    again: bool,
}

impl Sample {
    fn part(&self) -> Part {
        let bytes = self.bytes.clone();
        let length = self.known.then_some(bytes.len() as u64);
        Part::new(
            self.name.clone(),
            match self.step {
                None => bytes.into(),
                Some(step) => {
                    let steps = Steps { bytes: Cursor::new(bytes), step, again: self.again };
                    RequestBody::source(steps, length)
                }
            },
        )
    }
}

fn sample() -> impl Strategy<Value = Sample> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let step = proptest::option::of(1usize..50);
    ("(?s:.){0,8}", bytes, step, any::<bool>(), any::<bool>())
        .prop_map(|(name, bytes, step, known, again)| Sample { name, bytes, step, known, again })
}

proptest! {
    #[test]
    fn the_length_is_that_of_the_bytes(
        samples in proptest::collection::vec(sample(), 0..5),
        piece in 1usize..300,
    ) {
        let form = samples.iter().fold(Multipart::new(), |form, sample| form.part(sample.part()));
        let mut body = body(form);
        let bytes = read(&mut body, piece);
        let known = samples.iter().all(|sample| sample.known || sample.step.is_none());
        prop_assert_eq!(body.length(), known.then_some(bytes.len() as u64));

        let contents: usize = samples.iter().map(|sample| sample.bytes.len()).sum();
        prop_assert!(bytes.len() > contents);
        for sample in &samples {
            let framed = [b"\r\n\r\n", &*sample.bytes, b"\r\n--", BOUNDARY.as_bytes()].concat();
            prop_assert!(bytes.windows(framed.len()).any(|window| window == framed));
        }

        // What is known to be empty is never begun.
        let unread = |sample: &Sample| sample.known && sample.bytes.is_empty();
        let again = |s: &Sample| s.again || s.step.is_none() || unread(s);
        let again = samples.iter().all(again);
        prop_assert_eq!(body.is_replayable(), again);
        prop_assert_eq!(body.rewind().is_ok(), again);
        if again {
            prop_assert_eq!(read(&mut body, 64), bytes);
        }
    }
}

#[test]
fn a_form_goes_back_from_anywhere() {
    let form = || {
        let parts = ["one", "two"].map(|text| RequestBody::seekable(Cursor::new(text)).unwrap());
        let [one, two] = parts;
        body(Multipart::new().part(Part::new("1", one)).part(Part::new("2", two)))
    };
    let whole = read(&mut form(), 4096);
    for stop in 0..=whole.len() {
        let mut body = form();
        source(&mut body).read_exact(&mut vec![0; stop]).unwrap();
        body.rewind().unwrap();
        assert_eq!(read(&mut body, 7), whole, "after {stop} bytes");
    }
}

/// A part that was not begun can be sent, whatever it is: a form may be refused before it.
#[test]
fn only_parts_that_were_begun_need_to_go_back() {
    let once = RequestBody::reader(Cursor::new("once"), Some(4));
    let mut body = body(Multipart::new().text("a", "b").part(Part::new("f", once)));
    let mut first = [0; 20];
    source(&mut body).read_exact(&mut first).unwrap();
    assert!(body.is_replayable());
    body.rewind().unwrap();
    let all = read(&mut body, 4096);
    assert!(all.starts_with(&first));
    assert!(!body.is_replayable() && body.rewind().is_err());
}

/// A folder of files for one test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("waterclock-multipart-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> std::path::PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
