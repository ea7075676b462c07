//! How long the list of 15,000 pods takes to be made anew while a filter is typed: it must fit into a frame of 16 ms.

use divan::Bencher;
use jiff::Timestamp;
use sickbay::app::layout::Size;
use sickbay::app::link::Session;
use sickbay::app::screen::Screen;
use sickbay::app::{App, Msg, Target};
use sickbay::cluster::{Change, Delta, Meta, Name, Phase, Pod, Timers};
use sickbay::key::{Code, Key};
use sickbay::keymap::Keymap;

const PODS: usize = 15_000;

fn main() {
    divan::main();
}

#[divan::bench(args = ["", "web", "web worker-7", "!web", "~^ns-1/web-[0-9]+", "node=worker-7", "restarts>3", "age<10m label:app=web"])]
fn pods(bencher: Bencher, filter: &str) {
    let now = Timestamp::UNIX_EPOCH;
    let mut app = App::new(Session::default(), Keymap::embedded(), Timers::default(), now);
    app.update(Msg::Resize(Size { width: 160, height: 48 }), now);
    app.update(Msg::Changes((0..PODS).map(pod).collect()), now);
    app.update(Msg::Click(Target::Screen(Screen::Pods)), now);
    app.update(Msg::Key(Key::plain(Code::Char('/'))), now);
    app.settle();
    bencher.bench_local(|| {
        // As after a key: what is typed is read, and the list made anew.
        app.invoke(sickbay::command::Command::Ui(sickbay::command::Ui::ClearFilter));
        app.update(Msg::Paste(filter.to_owned()), now);
        app.settle();
        app.view().map(|view| view.len())
    });
}

fn pod(number: usize) -> Change {
    let labels = [("app".into(), if number.is_multiple_of(3) { "web" } else { "db" }.into())];
    let pod = Pod {
        meta: Meta {
            name: Name::new(format!("ns-{}", number % 40), format!("web-7d4b9c-{number:05}")),
            uid: number.to_string().into(),
            created: Some(Timestamp::UNIX_EPOCH),
            labels: labels.into(),
            ..Meta::default()
        },
        node: format!("worker-{}", number % 200).into(),
        phase: Phase::Running,
        ip: "10.0.0.1".into(),
        ..Pod::default()
    };
    Change::Pod(Delta::Apply(Box::new(pod)))
}
