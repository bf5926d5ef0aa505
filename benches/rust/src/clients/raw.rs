//! The floor: a blocking socket, request bytes built once, httparse, no copies, no pool, no look at
//! idle connections. It does less than any client could.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Body, Client, PIECE, Request, Result, Setup, Sink};

const MAX_FIELDS: usize = 128;

struct Raw {
    setup: Setup,
    tls: Option<Arc<ClientConfig>>,
    wire: Option<Wire>,
    buffer: Buffer,
    /// The request that was built, and the URL it is for.
    built: (String, Vec<u8>),
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let tls = setup.ca.as_ref().map(|ca| trusting(ca)).transpose()?;
    Ok(Box::new(Raw {
        setup: setup.clone(),
        tls: tls.map(Arc::new),
        wire: None,
        buffer: Buffer::new(),
        built: Default::default(),
    }))
}

fn trusting(ca: &str) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

impl Client for Raw {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        if self.built.0 != request.url {
            self.built = (request.url.clone(), build(request)?);
        }
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => self.connect(&request.url)?,
        };
        wire.write(&self.built.1)?;
        if let Body::Upload(length) = request.body {
            upload(&mut wire, length)?;
        }
        let deadline = Deadline::new(self.setup.total);
        let head = self.buffer.head(&mut wire, &deadline)?;
        let mut decoder = Decoder::new(head.coding, sink)?;
        match head.length {
            Some(length) => self.buffer.body(&mut wire, length, &deadline, &mut decoder)?,
            None => self.buffer.chunks(&mut wire, &deadline, &mut decoder)?,
        }
        decoder.finish()?;
        if self.setup.keep_alive {
            self.wire = Some(wire);
        }
        Ok(head.status)
    }

    /// A connection a thread.
    fn share(&self) -> Option<Box<dyn Client>> {
        make(&self.setup).ok()
    }
}

impl Raw {
    fn connect(&self, url: &str) -> Result<Wire> {
        let (authority, _) = split(url)?;
        let stream = TcpStream::connect(authority)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.setup.total))?;
        let Some(config) = &self.tls else { return Ok(Wire::Plain(stream)) };
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let name = ServerName::try_from(host.to_owned())?;
        let connection = ClientConnection::new(Arc::clone(config), name)?;
        Ok(Wire::Tls(Box::new(StreamOwned::new(connection, stream))))
    }
}

fn split(url: &str) -> Result<(&str, &str)> {
    let (_, rest) = url.split_once("://").ok_or("not a URL")?;
    Ok(rest.split_at(rest.find('/').ok_or("no path")?))
}

fn build(request: &Request) -> Result<Vec<u8>> {
    let (authority, path) = split(&request.url)?;
    let coding =
        request.coding.map_or(String::new(), |name| format!("Accept-Encoding: {name}\r\n"));
    let (method, body) = match request.body {
        Body::None => ("GET", String::new()),
        Body::Json(bytes) => (
            "POST",
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", bytes.len()),
        ),
        Body::Upload(length) => ("POST", format!("Content-Length: {length}\r\n")),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: raw/1\r\nAccept: */*\r\n\
         {coding}{body}\r\n"
    );
    let mut bytes = head.into_bytes();
    if let Body::Json(json) = request.body {
        bytes.extend_from_slice(json);
    }
    Ok(bytes)
}

fn upload(wire: &mut Wire, length: u64) -> Result<()> {
    let zeros = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        let count = left.min(PIECE as u64);
        wire.write(&zeros[..count as usize])?;
        left -= count;
    }
    Ok(())
}

impl Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Wire::Plain(stream) => stream.write_all(bytes)?,
            Wire::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], deadline: &Deadline) -> Result<usize> {
        if let Some(left) = deadline.left()? {
            let stream = match self {
                Wire::Plain(stream) => &*stream,
                Wire::Tls(stream) => &stream.sock,
            };
            stream.set_read_timeout(Some(left))?;
        }
        let count = match self {
            Wire::Plain(stream) => stream.read(buffer)?,
            Wire::Tls(stream) => stream.read(buffer)?,
        };
        if count == 0 { Err("the connection ended".into()) } else { Ok(count) }
    }
}

/// A short limit is armed before each read; a long one was set once, when the connection was made.
struct Deadline(Option<Instant>);

impl Deadline {
    fn new(total: Duration) -> Self {
        Deadline((total < Duration::from_secs(1)).then(|| Instant::now() + total))
    }

    fn left(&self) -> Result<Option<Duration>> {
        let Some(end) = self.0 else { return Ok(None) };
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err("out of time".into()),
            left => Ok(Some(left)),
        }
    }
}

struct Head {
    status: u16,
    /// `None`: in chunks.
    length: Option<u64>,
    coding: Coding,
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

/// What was read and is not yet used.
struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new() -> Self {
        Buffer { bytes: vec![0; PIECE].into(), start: 0, end: 0 }
    }

    fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn fill(&mut self, wire: &mut Wire, deadline: &Deadline) -> Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.end += wire.read(&mut self.bytes[self.end..], deadline)?;
        Ok(())
    }

    fn head(&mut self, wire: &mut Wire, deadline: &Deadline) -> Result<Head> {
        loop {
            self.fill(wire, deadline)?;
            if let Some((head, length)) = parse(self.filled())? {
                self.start += length;
                return Ok(head);
            }
        }
    }

    fn body(
        &mut self,
        wire: &mut Wire,
        length: u64,
        deadline: &Deadline,
        out: &mut Decoder<'_>,
    ) -> Result<()> {
        let mut left = length;
        loop {
            let count = left.min((self.end - self.start) as u64) as usize;
            out.write(&self.filled()[..count])?;
            self.start += count;
            left -= count as u64;
            if left == 0 {
                return Ok(());
            }
            self.fill(wire, deadline)?;
        }
    }

    fn chunks(
        &mut self,
        wire: &mut Wire,
        deadline: &Deadline,
        out: &mut Decoder<'_>,
    ) -> Result<()> {
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(self.filled()).map_err(|_| "a bad chunk")? {
                    httparse::Status::Complete(found) => break found,
                    httparse::Status::Partial => self.fill(wire, deadline)?,
                }
            };
            self.start += line;
            self.body(wire, size, deadline, out)?;
            while self.end - self.start < 2 {
                self.fill(wire, deadline)?;
            }
            self.start += 2;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

/// The head and its length; `None` if it is not all there.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut fields,
    )?;
    let httparse::Status::Complete(end) = parsed else { return Ok(None) };
    let mut head =
        Head { status: response.code.unwrap_or(0), length: None, coding: Coding::Identity };
    for field in response.headers.iter() {
        if field.name.eq_ignore_ascii_case("content-length") {
            head.length = Some(std::str::from_utf8(field.value)?.parse()?);
        } else if field.name.eq_ignore_ascii_case("content-encoding") {
            head.coding = match field.value {
                b"gzip" => Coding::Gzip,
                b"br" => Coding::Brotli,
                _ => Coding::Zstd,
            };
        }
    }
    Ok(Some((head, end)))
}

/// Hands slices on, or decodes them first.
enum Decoder<'s> {
    Identity(&'s mut Sink),
    Coded(Box<dyn Write + 's>),
}

impl<'s> Decoder<'s> {
    fn new(coding: Coding, sink: &'s mut Sink) -> Result<Self> {
        let sink = match coding {
            Coding::Identity => return Ok(Decoder::Identity(sink)),
            _ => Output(sink),
        };
        Ok(Decoder::Coded(match coding {
            Coding::Gzip => Box::new(flate2::write::GzDecoder::new(sink)),
            Coding::Brotli => Box::new(brotli::DecompressorWriter::new(sink, PIECE)),
            Coding::Identity | Coding::Zstd => {
                Box::new(zstd::stream::write::Decoder::new(sink)?.auto_flush())
            }
        }))
    }

    fn write(&mut self, piece: &[u8]) -> Result<()> {
        match self {
            Decoder::Identity(sink) => sink.take(piece),
            Decoder::Coded(decoder) => decoder.write_all(piece)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self {
            Decoder::Identity(_) => {}
            Decoder::Coded(mut decoder) => decoder.flush()?,
        }
        Ok(())
    }
}

struct Output<'s>(&'s mut Sink);

impl Write for Output<'_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0.take(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
