//! ureq: blocking, rustls with ring.

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, SendBody};

use super::zeros;
use crate::client::{Body, Client, Request, Result, Setup, Sink};

struct Ureq(Agent);

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let mut config = Agent::config_builder().timeout_global(Some(setup.total)).proxy(None);
    if !setup.keep_alive {
        config = config.max_idle_connections(0).max_idle_connections_per_host(0);
    }
    if let Some(ca) = &setup.ca {
        let roots = RootCerts::new_with_certs(&[Certificate::from_pem(ca.as_bytes())?]);
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    Ok(Box::new(Ureq(config.build().new_agent())))
}

impl Client for Ureq {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        let url = request.url.as_str();
        let mut response = match request.body {
            Body::None => self.0.get(url).call()?,
            Body::Json(bytes) => {
                self.0.post(url).header("Content-Type", "application/json").send(bytes)?
            }
            Body::Upload(length) => self
                .0
                .post(url)
                .header("Content-Length", length.to_string())
                .send(SendBody::from_owned_reader(zeros(length)))?,
        };
        if request.streamed {
            sink.read(response.body_mut().as_reader(), true)?;
        } else {
            sink.take(&response.body_mut().with_config().limit(u64::MAX).read_to_vec()?);
        }
        Ok(response.status().as_u16())
    }

    fn share(&self) -> Option<Box<dyn Client>> {
        Some(Box::new(Ureq(self.0.clone())))
    }
}
