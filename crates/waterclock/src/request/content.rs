//! Ways to give a [`Request`] its content, and its URL a query.

use super::{Request, RequestBody};
use crate::error::{ErrorKind, Failure};
use crate::multipart::Multipart;
use std::fs::File;
use std::sync::Arc;
use waterclock_proto::form;
use waterclock_proto::timeline::RequestLine;

impl Request<'_> {
    /// Adds pairs to the query of the URL, percent-encoded; what is there stays.
    ///
    /// ```
    /// use waterclock::Session;
    ///
    /// let session = Session::new();
    /// let request = session.get("https://example.com/?a=1").query([("b", "x y"), ("b", "z")]);
    /// assert_eq!(request.prepare()?.url().query(), Some("a=1&b=x+y&b=z"));
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn query<K, V>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        if let Ok(target) = &mut self.target {
            form::append_query(&mut Arc::make_mut(&mut target.line).url, pairs);
        }
        self
    }

    /// Sends pairs as a form (`application/x-www-form-urlencoded`).
    pub fn form<K, V>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.content_type = Some("application/x-www-form-urlencoded".into());
        self.body = form::encode_form(pairs).into();
        self
    }

    /// Sends a value as JSON (`application/json`).
    ///
    /// ```
    /// use waterclock::Session;
    ///
    /// let session = Session::new();
    /// let request = session.post("https://example.com/").json(&[1, 2]).prepare()?;
    /// assert_eq!(request.body().bytes(), Some(&b"[1,2]"[..]));
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn json(mut self, value: &(impl serde::Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => {
                self.content_type = Some("application/json".into());
                self.body = text.into();
                self
            }
            Err(error) => self.note(Err(error)),
        }
    }

    /// Sends fields and files as `multipart/form-data` (RFC 7578), streamed.
    ///
    /// ```no_run
    /// use waterclock::{Multipart, Session};
    ///
    /// let form = Multipart::new().text("title", "Sunrise").file("picture", "sunrise.jpg")?;
    /// Session::new().post("https://example.com/upload").multipart(form).send()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn multipart(mut self, form: Multipart) -> Self {
        let mut random = [0; 16];
        self.session.world().random(&mut random);
        match form.into_body(random) {
            Ok((kind, body)) => {
                self.content_type = Some(kind.into());
                self.body = body;
                self
            }
            Err(error) => self.note(Err(error)),
        }
    }

    /// Streams a file from its present position; a regular file has a Content-Length, and can be sent
    /// again after a redirect or for a retry.
    pub fn body_file(mut self, file: File) -> Self {
        match RequestBody::file(file) {
            Ok(body) => self.body = body,
            Err(error) => {
                let context = "the file cannot be sent";
                let failure = Failure::from_error(ErrorKind::InvalidRequest, context, error);
                self.problem = self.problem.or(Some(failure));
            }
        }
        self
    }
}

/// Adds the session's pairs to the query, where the request has none of that name.
pub(super) fn add_default_query(line: &mut Arc<RequestLine>, defaults: &[(String, String)]) {
    let missing = |(name, _): &&(String, String)| {
        line.url.query_pairs().all(|(present, _)| present != name.as_str())
    };
    let added: Vec<_> =
        defaults.iter().filter(missing).map(|(name, value)| (name, value)).collect();
    if !added.is_empty() {
        form::append_query(&mut Arc::make_mut(line).url, added);
    }
}

#[cfg(test)]
mod tests {
    use crate::Session;

    #[test]
    fn the_sessions_query_fills_gaps() {
        let session =
            Session::builder().trust_env(false).query([("key", "k"), ("v", "1")]).build().unwrap();
        let url = |request: crate::Request<'_>| request.prepare().unwrap().url().to_string();
        assert_eq!(url(session.get("http://a.test/?x=1#f")), "http://a.test/?x=1&key=k&v=1#f");
        let own = session.get("http://a.test/").query([("v", "2")]);
        assert_eq!(url(own), "http://a.test/?v=2&key=k");
    }
}
