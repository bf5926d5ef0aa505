//! Identifiers that are the same whenever the same run is exported.

use sha2::{Digest as _, Sha256};
use waterclock::run::{Run, Secrets};

/// The identifiers of one trace.
pub(super) struct Ids {
    seed: [u8; 32],
    given: u32,
}

impl Ids {
    pub(super) fn of(run: &Run) -> Ids {
        Ids { seed: Sha256::digest(run.to_json(Secrets::Redacted)).into(), given: 0 }
    }

    /// 16 bytes in hexadecimal.
    pub(super) fn trace(&self) -> String {
        hex(self.seed.iter().take(16))
    }

    /// 8 bytes in hexadecimal, others each time.
    pub(super) fn span(&mut self) -> String {
        self.given += 1;
        let digest = Sha256::new().chain_update(self.seed).chain_update(self.given.to_be_bytes());
        hex(digest.finalize().iter().take(8))
    }
}

fn hex<'b>(bytes: impl Iterator<Item = &'b u8>) -> String {
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
