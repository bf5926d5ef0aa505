//! Heads of messages, split without judgement: a lab records nonsense rather than refusing it.

/// Where a message's body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(crate) const NONE: Framing = Framing::Length(0);
}

#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) start_line: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
}

/// The value of the first field called `name`.
pub(crate) fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.as_str())
}

impl Head {
    pub(crate) fn parse(raw: &[u8]) -> Head {
        let text = String::from_utf8_lossy(raw);
        let mut lines = text.split("\r\n");
        let start_line = lines.next().unwrap_or_default().to_owned();
        let fields = lines.take_while(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim().to_owned())
        });
        Head { start_line, fields: fields.collect(), raw: raw.to_vec() }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    /// True if the list-valued field `name` contains `token`.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values
            .flat_map(|(_, value)| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(token))
    }

    pub(crate) fn is_http_1_0(&self) -> bool {
        self.start_line.ends_with("HTTP/1.0") || self.start_line.starts_with("HTTP/1.0")
    }

    /// Does the sender leave the connection open (RFC 9112, section 9.3)?
    pub(crate) fn keeps_alive(&self) -> bool {
        !self.has_token("connection", "close")
            && (!self.is_http_1_0() || self.has_token("connection", "keep-alive"))
    }

    pub(crate) fn expects_continue(&self) -> bool {
        !self.is_http_1_0() && self.has_token("expect", "100-continue")
    }

    pub(crate) fn request_framing(&self) -> Framing {
        self.declared_framing().unwrap_or(Framing::NONE)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.start_line.split(' ').nth(1).and_then(|status| status.parse().ok())
    }

    pub(crate) fn response_framing(&self, method: &str) -> Framing {
        match self.status() {
            Some(100..=199 | 204 | 304) => Framing::NONE,
            _ if method == "HEAD" => Framing::NONE,
            _ => self.declared_framing().unwrap_or(Framing::UntilClose),
        }
    }

    fn declared_framing(&self) -> Option<Framing> {
        if self.has_token("transfer-encoding", "chunked") {
            return Some(Framing::Chunked);
        }
        self.field("content-length")?.parse().ok().map(Framing::Length)
    }
}
