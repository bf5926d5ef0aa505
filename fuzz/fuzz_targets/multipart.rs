//! A form, as a server gets it: another reader finds the same parts in it, whatever their names say,
//! and nothing that a part says becomes a header or another part.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use waterclock::{Error, Multipart, Part, RequestBody, SessionBuilder};
use waterclock_fuzz::form::{self, Read};
use waterclock_fuzz::input::Input;
use waterclock_sim::{Script, SimWorld};

/// What an input has for one part.
#[derive(Debug)]
struct Given {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    content: Vec<u8>,
    streamed: bool,
}

impl Given {
    fn read(input: &mut Input<'_>) -> Given {
        let choice = input.byte();
        let mut text = || String::from_utf8_lossy(input.until(0xff)).into_owned();
        let name = text();
        let file_name = (choice & 1 != 0).then(&mut text);
        let content_type = (choice & 2 != 0).then(text);
        let content = input.until(0xff).to_vec();
        Given { name, file_name, content_type, content, streamed: choice & 4 != 0 }
    }

    fn part(&self) -> Part {
        let body: RequestBody = match self.streamed {
            true => RequestBody::chunks(
                self.content.chunks(5).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter(),
            ),
            false => self.content.clone().into(),
        };
        let mut part = Part::new(&self.name, body);
        if let Some(file_name) = &self.file_name {
            part = part.file_name(file_name);
        }
        match &self.content_type {
            Some(content_type) => part.content_type(content_type),
            None => part,
        }
    }

    /// What a server should find.
    fn expected(&self) -> Read {
        // A line end in a name is CRLF (HTML Standard); in a file name it stays what it is.
        let name = self.name.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        Read {
            name: form::escaped(&name),
            file_name: self.file_name.as_deref().map(form::escaped),
            content_type: self
                .content_type
                .as_deref()
                .map(|kind| kind.trim_end_matches([' ', '\t']).to_owned()),
            content: self.content.clone(),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut given = Vec::new();
    while !input.0.is_empty() && given.len() < 5 {
        given.push(Given::read(&mut input));
    }
    let form = given.iter().fold(Multipart::new(), |form, given| form.part(given.part()));
    match sent(form) {
        Ok(request) => {
            let (boundary, body) = form::body(&request);
            // Nobody can know it; an input may have learned this one.
            if contains(data, boundary.as_bytes()) {
                return;
            }
            let expected: Vec<Read> = given.iter().map(Given::expected).collect();
            assert_eq!(form::read(&boundary, &body), Some(expected), "{}", request.escape_ascii());
        }
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            let kinds = given.iter().filter_map(|given| given.content_type.as_deref());
            assert!(
                kinds
                    .into_iter()
                    .any(|kind| kind.contains(char::is_control)
                        || kind.starts_with(char::is_whitespace)),
                "{error}"
            );
        }
    }
});

/// Sends it, and says what a server received.
fn sent(form: Multipart) -> Result<Vec<u8>, Error> {
    let world = SimWorld::new();
    world.host("a.test").resolves_to(["192.0.2.1"]);
    let answer = "HTTP/1.1 204 No Content\r\n\r\n";
    world.listen("192.0.2.1:80").serve(Script::new().expect_head().expect_body().send(answer));
    let session = SessionBuilder::in_world(world.clone()).build()?;
    session.post("http://a.test/").total(Duration::from_secs(9)).multipart(form).send()?;
    Ok(world.received("192.0.2.1:80").concat())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
