//! `--try-updates`: whether the server would still take an update of what should be gone by now.

use super::target;
use crate::app::{App, Msg};
use crate::cluster::{Change, Text, Trial};
use crate::k8s::connect::Session;
use crate::k8s::execute::try_update;
use crate::runtime::complain;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Objects that are asked about; a namespace that does not go can hold thousands.
const MOST: usize = 20;
/// Questions that are under way at a time: an ailing API server gets no burst.
const AT_A_TIME: usize = 5;

/// Asks, of the targets or else of all that is stuck, and takes the answers in.
pub async fn ask(app: &mut App, session: &Arc<Session>, targets: &[String]) {
    if session.read_only {
        complain(
            "what is stuck was not asked about: a dry run of an update is not sent in a read-only session",
        );
        return;
    }
    let mut stuck = app.cluster.deleting();
    stuck.retain(|object| {
        let is_meant =
            targets.is_empty() || targets.iter().any(|word| target::names(word, object.kind, &object.name));
        is_meant && app.cluster.meta(object).is_some_and(|meta| app.is_stuck(meta))
    });
    if let Some(more) = stuck.len().checked_sub(MOST).filter(|more| *more > 0) {
        complain(&format!("{MOST} of what is stuck were asked about and {more} not; name the ones you mean"));
        stuck.truncate(MOST);
    }
    let asking = Arc::new(Semaphore::new(AT_A_TIME));
    let mut trials = JoinSet::new();
    for object in stuck {
        let version: Text =
            app.cluster.meta(&object).map(|meta| meta.resource_version.clone()).unwrap_or_default();
        let (session, asking) = (Arc::clone(session), Arc::clone(&asking));
        trials.spawn(async move {
            let _turn = asking.acquire().await;
            let said = try_update(&session, &object).await;
            Trial { object, version, said }
        });
    }
    let said = trials.join_all().await;
    let changes = said.into_iter().map(|trial| Change::Trial(Box::new(trial))).collect();
    app.update(Msg::Changes(changes), session.clock.now());
}
