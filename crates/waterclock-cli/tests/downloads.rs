//! Files: what they are called, what is overwritten, and how a part is completed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod common;

use common::{Ran, scratch, waterclock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use waterclock_lab::{
    ReceivedRequest, Script, Server, Step, drip_body, head, respond, respond_with,
};

/// An empty folder to be in.
fn folder(name: &str) -> PathBuf {
    let folder = scratch(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    folder
}

#[track_caller]
fn get(server: &Server, folder: &Path, path: &str, more: &[&str]) -> Ran {
    let mut command = waterclock();
    command.current_dir(folder).args(["-q"]).args(more).arg(server.url(path));
    Ran::from(command.output().unwrap())
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_url_names_the_file() {
    let (server, folder) = (Server::start(Script::default()).unwrap(), folder("names"));
    get(&server, &folder, "/a/b.txt?x=1", &["-O"]).expect(0);
    get(&server, &folder, "/..%2f..%2fescaped", &["--remote-name"]).expect(0);
    assert_eq!(files(&folder), ["_._.._escaped", "b.txt"]);
    get(&server, &folder, "/", &["-O"]).expect(2).says("use -o FILE");
    get(&server, &folder, "/x", &["-O", "-o", "y"]).expect(2).says("cannot be used with");
    get(&server, &folder, "/x", &["-J"]).expect(2).says("--remote-name");
}

#[test]
fn a_file_that_the_url_names_is_not_overwritten_unasked() {
    let (server, folder) = (Server::start(Script::default()).unwrap(), folder("keep"));
    fs::write(folder.join("x"), "mine").unwrap();
    get(&server, &folder, "/x", &["-O"]).expect(23).says("x exists and is not overwritten");
    assert_eq!((text(&folder, "x").as_str(), server.requests().len()), ("mine", 0));
    get(&server, &folder, "/x", &["-O", "--overwrite"]).expect(0);
    assert_eq!(text(&folder, "x"), "ok");
    fs::write(folder.join("x"), "mine").unwrap();
    get(&server, &folder, "/x", &["-o", "x"]).expect(0);
    assert_eq!(text(&folder, "x"), "ok", "-o says which file");
}

#[test]
fn the_server_may_name_the_file_if_it_is_allowed_to() {
    let named = |name: &str| {
        let value = format!("attachment; filename=\"{name}\"");
        Server::start(Script::every_request(respond_with(
            200,
            &[("Content-Disposition", &value)],
            "ok",
        )))
        .unwrap()
    };
    let folder = folder("server-names");
    get(&named("good.txt"), &folder, "/x", &["-O", "-J"]).expect(0);
    get(&named("../../../bad.txt"), &folder, "/x", &["-OJ"]).expect(0);
    get(&named(".profile"), &folder, "/", &["-OJ"]).expect(0);
    get(&named("ignored"), &folder, "/own", &["-O"]).expect(0);
    assert_eq!(files(&folder), ["_._.._.._bad.txt", "_profile", "good.txt", "own"]);
    let ran = get(&named("good.txt"), &folder, "/x", &["-OJ"]).expect(23);
    ran.says("good.txt exists and is not overwritten");
}

const WHOLE: &str = "0123456789";

/// Serves `WHOLE` as version `tag`, in parts too; the first connection breaks off after four bytes.
fn cutting(tag: &'static str, first: bool) -> Server {
    let answer = move |request: &ReceivedRequest| {
        let etag = ("ETag", tag);
        let wanted = request.header("if-range").is_none_or(|condition| condition == tag);
        let from = request.header("range").filter(|_| wanted);
        match from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()) {
            Some(10_usize..) => respond_with(416, &[("Content-Range", "bytes */10")], ""),
            Some(from) => {
                let range = format!("bytes {from}-9/10");
                respond_with(206, &[("Content-Range", &range), etag], &WHOLE[from..])
            }
            None => respond_with(200, &[etag], WHOLE),
        }
    };
    Server::start(Script::by_connection(move |number| match number {
        0 if first => {
            let head = Step::Send(head(200, &[("Content-Length", "10"), ("ETag", tag)]));
            Script::steps([Step::ReadHead, head, Step::send("0123"), Step::Close])
        }
        _ => Script::by_request(answer),
    }))
    .unwrap()
}

#[test]
fn a_part_is_completed() {
    let (server, folder) = (cutting("\"a\"", true), folder("part"));
    let ran = get(&server, &folder, "/x", &["-o", "x"]).expect(18);
    ran.says("x has what came before.").says("the same command with --continue");
    assert_eq!(
        (text(&folder, "x").as_str(), files(&folder)),
        ("0123", vec!["x".into(), "x.resume".into()])
    );
    get(&server, &folder, "/x", &["-o", "x", "--continue"]).expect(0);
    let request = server.requests().pop().unwrap();
    assert_eq!(request.header("range"), Some("bytes=4-"));
    assert_eq!(request.header("if-range"), Some("\"a\""));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!((text(&folder, "x").as_str(), files(&folder)), (WHOLE, vec!["x".into()]));
    // Now there is nothing to complete.
    get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(0);
    assert_eq!(text(&folder, "x"), WHOLE);
}

#[test]
fn a_part_of_another_version_is_of_no_use() {
    let folder = folder("changed");
    get(&cutting("\"a\"", true), &folder, "/x", &["-O"]).expect(18);
    fs::write(folder.join("x"), "old!").unwrap();
    get(&cutting("\"b\"", false), &folder, "/x", &["-O", "-C", "-"]).expect(0);
    assert_eq!((text(&folder, "x").as_str(), files(&folder)), (WHOLE, vec!["x".into()]));
}

#[test]
fn a_file_that_is_not_there_is_simply_fetched() {
    let (server, folder) = (cutting("\"a\"", false), folder("none"));
    get(&server, &folder, "/x", &["-O", "--continue"]).expect(0);
    assert_eq!(text(&folder, "x"), WHOLE);
    assert_eq!(server.requests()[0].header("range"), None);
}

#[test]
fn what_does_not_fit_leaves_the_part_alone() {
    let folder = folder("useless");
    let wrong = [("Content-Range", "bytes 3-9/10")];
    for (answer, words) in [
        (respond_with(206, &wrong, "3456789"), "another range than asked for"),
        (respond(206, "456789"), "did not say which range"),
        (respond(503, "later"), "the status is 503, and x was left as it was"),
        (respond_with(416, &[("Content-Range", "bytes */3")], ""), "3 bytes, the part here 4"),
    ] {
        fs::write(folder.join("x"), "0123").unwrap();
        let server = Server::start(Script::every_request(answer)).unwrap();
        get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(22).says(words);
        assert_eq!(text(&folder, "x"), "0123");
    }
}

/// A 206 whose body ends well, and elsewhere than its Content-Range says.
#[test]
fn what_completes_a_part_is_as_long_as_its_range() {
    let folder = folder("ranges");
    let range = ("Content-Range", "bytes 4-9/10");
    let chunked = |text: &str| {
        let fields = [range, ("Transfer-Encoding", "chunked")];
        let body = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
        vec![Step::Send(head(206, &fields)), Step::send(body)]
    };
    let closing = |text: &str| vec![Step::Send(head(206, &[range])), Step::send(text), Step::Close];
    let short = "ended after 2 bytes, 4 before the end of its Content-Range";
    let long = "goes on behind the end of its Content-Range";
    let list = vec![
        Step::Send(head(206, &[range, ("Content-Length", "2, 2")])),
        Step::send("45"),
        Step::Close,
    ];
    for (answer, code, words, kept) in [
        (chunked("45"), 18, short, "012345"),
        (closing("45"), 18, short, "012345"),
        (chunked("456789xx"), 8, long, "0123456789"),
        (closing("456789xx"), 8, long, "0123456789"),
        (respond_with(206, &[range], "45"), 22, "Content-Length", "0123"),
        (respond_with(206, &[range], "456789xx"), 22, "Content-Length", "0123"),
        (list, 22, "Content-Length", "0123"),
        (chunked("456789"), 0, "", "0123456789"),
        (closing("456789"), 0, "", "0123456789"),
    ] {
        fs::write(folder.join("x"), "0123").unwrap();
        let server = Server::start(Script::every_request(answer)).unwrap();
        get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(code).says(words);
        assert_eq!(text(&folder, "x"), kept, "{words}");
    }
}

/// If-Range was sent and not heeded: two versions do not go together.
#[test]
fn a_part_of_another_version_is_not_put_behind_ours() {
    let folder = folder("versions");
    get(&cutting("\"a\"", true), &folder, "/x", &["-O"]).expect(18);
    let part = text(&folder, "x");
    let range = format!("bytes {}-{}/{}", part.len(), WHOLE.len() - 1, WHOLE.len());
    let rest = &WHOLE[part.len()..];
    let of = |tag| respond_with(206, &[("Content-Range", range.as_str()), ("ETag", tag)], rest);
    let server = Server::start(Script::every_request(of("\"b\""))).unwrap();
    get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(22).says("another version");
    assert_eq!((text(&folder, "x"), files(&folder).len()), (part, 2));
    let server = Server::start(Script::every_request(of("\"a\""))).unwrap();
    get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(0);
    assert_eq!((text(&folder, "x").as_str(), files(&folder)), (WHOLE, vec!["x".into()]));
}

/// Its first byte is not the file's: no `--continue` is advised, which would put the wrong bytes behind it.
#[test]
fn a_range_that_was_asked_for_by_hand_is_no_part() {
    let folder = folder("by_hand");
    let head =
        head(206, &[("Content-Range", "bytes 4-9/10"), ("Content-Length", "6"), ("ETag", "\"a\"")]);
    let cut = vec![Step::Send(head), Step::send("45"), Step::Close];
    let server = Server::start(Script::every_request(cut)).unwrap();
    let ran = get(&server, &folder, "/x", &["-O", "-H", "Range: bytes=4-"]).expect(18);
    assert!(!ran.err.contains("--continue"), "{}", ran.err);
    assert_eq!(files(&folder), ["x"]);
}

/// What is compared with the next answer is still what the first one said.
#[test]
fn a_part_keeps_the_validator_it_began_with() {
    let folder = folder("validators");
    get(&cutting("\"a\"", true), &folder, "/x", &["-O"]).expect(18);
    let kept = text(&folder, "x.resume");
    let fields = [
        ("Content-Range", "bytes 4-9/10"),
        ("Last-Modified", "Sun, 06 Nov 1994 08:48:00 GMT"),
        ("Date", "Sun, 06 Nov 1994 08:49:00 GMT"),
    ];
    let cut = vec![Step::Send(head(206, &fields)), Step::send("45"), Step::Close];
    let server = Server::start(Script::every_request(cut)).unwrap();
    get(&server, &folder, "/x", &["-O", "-C", "-"]).expect(18);
    assert_eq!((text(&folder, "x").as_str(), text(&folder, "x.resume")), ("012345", kept));
}

#[test]
fn completing_makes_sense_for_files_and_get_only() {
    let (server, folder) = (Server::start(Script::default()).unwrap(), folder("senseless"));
    for (arguments, words) in [
        (&["--continue"][..], "needs a file"),
        (&["-C", "-", "-o", "-"], "needs a file"),
        (&["-C", "-", "-o", "x", "-d", "y"], "is for a GET"),
        (&["-C", "-", "-o", "x", "-H", "Range: bytes=1-"], "is for a GET"),
        (&["-C", "-", "-o", "x", "-i"], "is for a GET"),
        (&["-C", "5", "-o", "x"], "invalid value '5'"),
        (&["-C", "-", "-OJ"], "cannot be used with"),
    ] {
        get(&server, &folder, "/x", arguments).expect(2).says(words);
    }
    assert_eq!(server.requests().len(), 0);
}

/// Runs it with a terminal as standard error, and gives what came out there.
fn watched(arguments: &[&str]) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    let mut command = waterclock();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(terminal).spawn().unwrap();
    drop(command);
    let (mut out, mut piece) = (Vec::new(), [0; 4096]);
    let mut controller = File::from(controller);
    // The end of a terminal is an error (EIO).
    while let Ok(count @ 1..) = controller.read(&mut piece) {
        out.extend_from_slice(&piece[..count]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(out).unwrap()
}

#[test]
fn a_terminal_sees_the_progress_of_a_download() {
    let steps = drip_body(200, vec![b'x'; 100_000], 10_000, std::time::Duration::from_millis(60));
    let server = Server::start(Script::every_request(steps)).unwrap();
    let (url, file) = (server.url("/"), scratch("progress.bin"));
    let file = file.to_str().unwrap();
    let shown = watched(&["-o", file, "-m", "60", &url]);
    assert!(shown.contains("of 100.0 kB") && shown.contains("/s  "), "{shown:?}");
    assert!(shown.contains("total: 59 s left"), "{shown:?}");
    assert!(shown.contains("\r\x1b[KHTTP/1.1 200 OK"), "the line goes: {shown:?}");
    for quiet in [&["-q"][..], &["--no-progress"]] {
        let shown = watched(&[quiet, &["-o", file, &url]].concat());
        assert!(!shown.contains("of 100.0 kB"), "{shown:?}");
    }
    let shown = watched(&["--json", &url]);
    assert!(!shown.contains("of 100.0 kB"), "no file, no progress: {shown:?}");
}
