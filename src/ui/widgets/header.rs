//! The header: connected to what, as whom, seeing how much, and whether the picture is live or how old it is.

use crate::actions::Run;
use crate::app::App;
use crate::app::acting::pods;
use crate::app::link::{Picture, Scope, clock_warning};
use crate::app::time::short;
use crate::cluster::{Feed, Kind, Sync};
use crate::theme::Role;
use crate::ui::paint::{Canvas, Piece, piece};
use ratatui::layout::Rect;

pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.fill(area, Role::Header);
    let first = Rect { height: 1, ..area };
    let second = Rect { y: area.y + 1, height: 1, ..area };
    let session = &app.session;

    let mut status = status(app, canvas);
    if let Some(words) = under_way(app) {
        status.splice(0..0, [piece(words, Role::HeaderStale), piece("  ", Role::Header)]);
    }
    let taken = canvas.pieces_right(first, &status);
    let left = Rect { width: first.width.saturating_sub(taken + 1), ..first };
    let mut line = vec![
        piece(" ", Role::Header),
        piece(session.context.as_str(), Role::HeaderContext),
        piece("  ", Role::Header),
        piece(session.server.as_str(), Role::Header),
        piece("  ", Role::Header),
        piece(session.version.as_str(), Role::Header),
    ];
    if session.is_demo {
        line.insert(0, piece(" DEMO ", Role::HeaderWarning));
    }
    canvas.pieces(left, &line);

    // Why the picture is not live matters more than a clock that is off.
    let right = match app.picture() {
        Picture::Stale { reason, .. } => Some(reason.to_string()),
        Picture::Live | Picture::Partial { .. } | Picture::Loading { .. } => {
            clock_warning(app.clock_offset).or_else(|| config_warning(session.config_problems))
        }
    };
    let right = right.map_or_else(String::new, |words| format!("{words} "));
    let room = Rect { x: second.x + second.width / 3, width: second.width - second.width / 3, ..second };
    let taken = canvas.text_right(room, &right, Role::HeaderStale);
    let left = Rect { width: second.width.saturating_sub(taken + u16::from(taken > 0)), ..second };
    let mut line = vec![
        piece(" as ", Role::Muted),
        piece(session.user.as_str(), Role::Header),
        piece("  in ", Role::Muted),
    ];
    match &session.scope {
        Scope::All => match &app.namespaces.shown {
            None => line.push(piece("all namespaces", Role::Header)),
            Some(shown) => {
                line.push(piece("all namespaces, shown ", Role::Header));
                line.push(piece(shown.to_string(), Role::HeaderStale));
            }
        },
        Scope::Namespace { name, reason } => {
            line.push(piece(format!("namespace {name} only"), Role::HeaderStale));
            if let Some(reason) = reason {
                line.push(piece(format!(" ({reason})"), Role::Muted));
            }
        }
    }
    line.push(piece("  ", Role::Header));
    line.push(if session.is_read_only {
        piece("read-only", Role::HeaderStale)
    } else {
        piece("read-write", Role::Muted)
    });
    canvas.pieces(left, &line);
}

/// What is being carried out, in few cells: it stands on every screen.
fn under_way(app: &App) -> Option<String> {
    let runs: Vec<&Run> = app.acting.under_way().collect();
    let counts = runs.iter().map(|run| pods::counts(run));
    let (done, all) = counts.fold((0, 0), |(done, all), (more, many)| (done + more, all + many));
    let paused = if runs.iter().any(|run| run.is_paused) { " PAUSED" } else { "" };
    let steps = format!("{done}/{all}{paused}");
    match runs.as_slice() {
        [] => None,
        [one] => Some(format!("{} {steps}", one.draft.action.kind().spec().id)),
        many => Some(format!("{} runs {steps}", many.len())),
    }
}

/// That something in the user's files does not count.
fn config_warning(problems: usize) -> Option<String> {
    match problems {
        0 => None,
        1 => Some("config: 1 problem, `sickbay check`".to_owned()),
        many => Some(format!("config: {many} problems, `sickbay check`")),
    }
}

fn status<'a>(app: &App, canvas: &Canvas<'_>) -> Vec<Piece<'a>> {
    let glyphs = canvas.glyphs();
    let say = |glyph: &str, words: String, role| vec![piece(format!("{glyph} {words} "), role)];
    match app.picture() {
        Picture::Live => say(glyphs.live, "live".to_owned(), Role::HeaderLive),
        Picture::Partial { missing } => {
            let words: Vec<&str> = missing.iter().map(|kind| kind.plural()).collect();
            // Two at most: the screens that need them say more.
            let words = match words.as_slice() {
                [one] => format!("live without {one}"),
                [one, two] => format!("live without {one}, {two}"),
                many => format!("live without {} kinds", many.len()),
            };
            say(glyphs.live, words, Role::HeaderStale)
        }
        Picture::Loading { kinds } => {
            let rows = kinds.iter().map(|kind| rows(app, *kind)).sum::<usize>();
            say(glyphs.stale, format!("loading, {rows} so far"), Role::HeaderStale)
        }
        Picture::Stale { since, .. } => {
            let age = short(app.now.duration_since(since));
            say(glyphs.stale, format!("NOT LIVE: {age} old"), Role::HeaderWarning)
        }
    }
}

fn rows(app: &App, kind: Kind) -> usize {
    if matches!(app.cluster.feed(Feed::Watch(kind)).sync, Sync::Waiting) {
        return 0;
    }
    match kind {
        Kind::Node => app.cluster.nodes.len(),
        Kind::Pod => app.cluster.pods.len(),
        Kind::PersistentVolume => app.cluster.persistent_volumes.len(),
        Kind::PersistentVolumeClaim => app.cluster.persistent_volume_claims.len(),
        Kind::VolumeAttachment => app.cluster.volume_attachments.len(),
        Kind::Namespace => app.cluster.namespaces.len(),
        Kind::Deployment => app.cluster.deployments.len(),
        Kind::ReplicaSet => app.cluster.replica_sets.len(),
        Kind::StatefulSet => app.cluster.stateful_sets.len(),
        Kind::DaemonSet => app.cluster.daemon_sets.len(),
        Kind::Job => app.cluster.jobs.len(),
        Kind::PodDisruptionBudget => app.cluster.pod_disruption_budgets.len(),
        Kind::Service => app.cluster.services.len(),
        Kind::ApiService => app.cluster.api_services.len(),
        Kind::Event => app.cluster.events.len(),
    }
}
