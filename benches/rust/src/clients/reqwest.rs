//! reqwest, its async client: rustls with ring.

use std::sync::Arc;

use reqwest::{Certificate, Client as Session};
use tokio::runtime::{Builder, Runtime};

use super::hyper::Zeros;
use crate::client::{Body, Client, Request, Result, Setup, Sink};

#[derive(Clone)]
struct Reqwest {
    runtime: Arc<Runtime>,
    session: Session,
    threads: bool,
}

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let mut runtime =
        if setup.threads { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let mut session = Session::builder().timeout(setup.total).no_proxy();
    if !setup.keep_alive {
        session = session.pool_max_idle_per_host(0);
    }
    session = session.tls_certs_only(trusted(setup)?);
    Ok(Box::new(Reqwest {
        runtime: Arc::new(runtime.enable_all().build()?),
        session: session.build()?,
        threads: setup.threads,
    }))
}

/// None where there is no TLS; the crypto provider is needed all the same.
pub(super) fn trusted(setup: &Setup) -> Result<Vec<Certificate>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = setup.ca.as_deref().unwrap_or_default();
    Ok(Certificate::from_pem_bundle(ca.as_bytes())?)
}

impl Client for Reqwest {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        self.runtime.block_on(call(&self.session, request, sink))
    }

    fn share(&self) -> Option<Box<dyn Client>> {
        self.threads.then(|| Box::new(self.clone()) as Box<dyn Client>)
    }
}

async fn call(session: &Session, request: &Request, sink: &mut Sink) -> Result<u16> {
    let url = &request.url;
    let builder = match request.body {
        Body::None => session.get(url),
        Body::Json(bytes) => {
            session.post(url).header("Content-Type", "application/json").body(bytes)
        }
        Body::Upload(length) => session.post(url).body(reqwest::Body::wrap(Zeros::new(length))),
    };
    let mut response = builder.send().await?;
    let status = response.status().as_u16();
    if request.streamed {
        while let Some(piece) = response.chunk().await? {
            sink.take(&piece);
        }
    } else {
        sink.take(&response.bytes().await?);
    }
    Ok(status)
}
