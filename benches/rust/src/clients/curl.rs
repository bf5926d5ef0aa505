//! libcurl through the curl crate: one easy handle, OpenSSL.

use std::io::Read as _;
use std::time::Duration;

use curl::easy::{Easy, List};

use super::zeros;
use crate::client::{Body, Client, Request, Result, Setup, Sink};

struct Curl {
    easy: Easy,
    setup: Setup,
    content: Vec<u8>,
}

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let mut easy = Easy::new();
    easy.timeout(setup.total)?;
    easy.connect_timeout(Duration::from_secs(10).min(setup.total))?;
    easy.noproxy("*")?;
    easy.forbid_reuse(!setup.keep_alive)?;
    if let Some(ca) = &setup.ca {
        easy.ssl_cainfo_blob(ca.as_bytes())?;
    }
    Ok(Box::new(Curl { easy, setup: setup.clone(), content: Vec::new() }))
}

impl Client for Curl {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        self.prepare(request)?;
        self.content.clear();
        let mut zeros = match request.body {
            Body::Upload(length) => zeros(length),
            Body::None | Body::Json(_) => zeros(0),
        };
        {
            let content = &mut self.content;
            let mut transfer = self.easy.transfer();
            transfer.read_function(|piece| Ok(zeros.read(piece).unwrap_or_default()))?;
            transfer.write_function(|piece| {
                if request.streamed {
                    sink.take(piece);
                } else {
                    content.extend_from_slice(piece);
                }
                Ok(piece.len())
            })?;
            transfer.perform()?;
        }
        sink.take(&self.content);
        Ok(self.easy.response_code()?.try_into()?)
    }

    /// A handle is one thread's: each gets its own, and its own connection.
    fn share(&self) -> Option<Box<dyn Client>> {
        make(&self.setup).ok()
    }
}

impl Curl {
    fn prepare(&mut self, request: &Request) -> Result<()> {
        self.easy.url(&request.url)?;
        if let Some(coding) = request.coding {
            self.easy.accept_encoding(coding)?;
        }
        match request.body {
            Body::None => self.easy.get(true)?,
            Body::Json(bytes) => {
                self.easy.post(true)?;
                self.easy.post_fields_copy(bytes)?;
                self.fields(&["Content-Type: application/json"])?;
            }
            Body::Upload(length) => {
                self.easy.post(true)?;
                self.easy.post_field_size(length)?;
                self.easy.upload_buffer_size(crate::client::PIECE)?;
                self.fields(&["Expect:"])?; // 100 Continue would cost a round trip
            }
        }
        Ok(())
    }

    fn fields(&mut self, fields: &[&str]) -> Result<()> {
        let mut list = List::new();
        for field in fields {
            list.append(field)?;
        }
        Ok(self.easy.http_headers(list)?)
    }
}
