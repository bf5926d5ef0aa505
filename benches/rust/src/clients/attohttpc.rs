//! attohttpc: blocking, a connection a request.

use attohttpc::{RequestBuilder, Session};

use super::zeros;
use crate::client::{Body, Client, Request, Result, Setup, Sink};

struct Attohttpc(Session);

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let mut session = Session::new();
    session.timeout(setup.total);
    session.proxy_settings(attohttpc::ProxySettings::builder().build());
    if let Some(ca) = &setup.ca {
        let certificate = rustls::pki_types::pem::PemObject::from_pem_slice(ca.as_bytes())?;
        session.add_root_certificate(certificate);
    }
    Ok(Box::new(Attohttpc(session)))
}

/// A reader that attohttpc takes as a body of known length.
struct Upload(u64);

impl attohttpc::body::Body for Upload {
    fn kind(&mut self) -> std::io::Result<attohttpc::body::BodyKind> {
        Ok(attohttpc::body::BodyKind::KnownLength(self.0))
    }

    fn write<W: std::io::Write>(&mut self, mut writer: W) -> std::io::Result<()> {
        std::io::copy(&mut zeros(self.0), &mut writer).map(drop)
    }
}

impl Client for Attohttpc {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        let url = &request.url;
        match request.body {
            Body::None => receive(self.0.get(url), request, sink),
            Body::Json(bytes) => {
                let post = self.0.post(url).header("Content-Type", "application/json");
                receive(post.bytes(bytes), request, sink)
            }
            Body::Upload(length) => receive(self.0.post(url).body(Upload(length)), request, sink),
        }
    }
}

fn receive<B: attohttpc::body::Body>(
    builder: RequestBuilder<B>,
    request: &Request,
    sink: &mut Sink,
) -> Result<u16> {
    let response = builder.send()?;
    let status = response.status().as_u16();
    if request.streamed {
        sink.read(response, true)?;
    } else {
        sink.take(&response.bytes()?);
    }
    Ok(status)
}
