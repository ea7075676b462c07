//! What is read once, when somebody asks: within a limit, and again after a new login where the server did not know
//! us.
//!
//! It deliberately retries nothing else: who asked can ask again.

use super::connect::Session;
use super::poll::within_limit;
use super::watch::Trouble;
use crate::actions::CallError;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Reads, each try within the limit. Each takes the session's client anew: the second has newer credentials.
pub async fn once<T, F>(session: &Session, limit: Duration, read: impl Fn() -> F) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, Trouble>>,
{
    match within_limit(limit, read()).await {
        Err(Trouble::Login { reason }) => match session.renew().await {
            Ok(_) => within_limit(limit, read()).await,
            Err(_) => Err(Trouble::Login { reason }),
        },
        outcome => outcome,
    }
}

/// A body that is JSON.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body)
        .map_err(|error| Trouble::broken(format!("the answer is not what was asked for: {error}")))
}

/// What kept a question of an action's from being answered.
impl From<Trouble> for CallError {
    fn from(trouble: Trouble) -> Self {
        let reason = trouble.reason().into();
        match trouble {
            Trouble::Login { .. } => Self::Unauthorized { reason },
            Trouble::Forbidden { .. } => Self::Forbidden { reason, causes: Vec::new() },
            Trouble::Absent { .. } => Self::NotFound { reason },
            Trouble::Rejected { .. } => Self::Broken { reason },
            Trouble::Busy { pause, .. } => Self::TooManyRequests {
                reason,
                pause: pause.and_then(|pause| SignedDuration::try_from(pause).ok()),
                causes: Vec::new(),
            },
            Trouble::Expired { .. } | Trouble::Broken { .. } => Self::Unanswered { reason },
        }
    }
}
