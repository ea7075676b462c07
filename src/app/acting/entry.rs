//! What scale and set image ask for before they are checked: one value, typed beside what holds now.
//!
//! What it means for the workloads is said in `actions`; here is only how it is asked for, and what is wrong with what
//! is typed so far.

use crate::actions::{Action, Draft, image};
use crate::cluster::{Cluster, Text, Workload};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Replicas {
        /// The least and the most that any of the workloads wants now.
        now: (u32, u32),
        /// Empty at first: a digit behind what stood there would be ten times as many.
        typed: String,
    },
    /// One container and its image.
    Image {
        /// Those that all of the workloads have.
        containers: Vec<Container>,
        at: usize,
        typed: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub name: Text,
    pub is_init: bool,
    /// Nothing where the workloads have several.
    pub image: Option<Text>,
}

impl Entry {
    /// What has to be asked for a draft; nothing where all is said. Or why there is nothing to ask for.
    pub fn of(draft: &Draft, cluster: &Cluster) -> Result<Option<Self>, String> {
        let workloads: Vec<Workload<'_>> =
            draft.targets.iter().filter_map(|target| cluster.workload(target)).collect();
        let wanted = || workloads.iter().map(|workload| workload.counts().desired);
        if let Action::Scale { replicas: None, back } = &draft.action
            && back.is_empty()
        {
            let now = (wanted().min().unwrap_or_default(), wanted().max().unwrap_or_default());
            return Ok(Some(Self::Replicas { now, typed: String::new() }));
        }
        let Action::SetImage { image, back } = &draft.action else { return Ok(None) };
        if !image.is_empty() || !back.is_empty() {
            return Ok(None);
        }
        let containers = common(&workloads);
        if containers.is_empty() {
            return Err("these have no container in common: take one of them".to_owned());
        }
        let at = containers.iter().position(|container| !container.is_init).unwrap_or(0);
        let mut entry = Self::Image { containers, at, typed: String::new() };
        entry.choose(at);
        Ok(Some(entry))
    }

    /// The lines that the cursor can be on.
    pub const fn lines(&self) -> usize {
        match self {
            Self::Replicas { .. } => 1,
            Self::Image { containers, .. } => containers.len(),
        }
    }

    pub const fn at(&self) -> usize {
        match self {
            Self::Replicas { .. } => 0,
            Self::Image { at, .. } => *at,
        }
    }

    /// Goes to another container. What was typed for the one before is left: one is set at a time.
    pub fn choose(&mut self, to: usize) {
        if let Self::Image { containers, at, typed } = self
            && let Some(container) = containers.get(to)
        {
            *at = to;
            *typed = container.image.as_ref().map(Text::to_string).unwrap_or_default();
        }
    }

    pub fn typed(&self) -> &str {
        match self {
            Self::Replicas { typed, .. } | Self::Image { typed, .. } => typed,
        }
    }

    pub const fn typed_mut(&mut self) -> &mut String {
        match self {
            Self::Replicas { typed, .. } | Self::Image { typed, .. } => typed,
        }
    }

    /// What is missing or wrong, as it stands.
    pub fn fault(&self) -> Option<String> {
        let typed = self.typed().trim();
        match self {
            Self::Replicas { .. } if typed.is_empty() => {
                Some("type how many pods there should be".to_owned())
            }
            Self::Replicas { now, .. } => match typed.parse::<i32>() {
                Ok(count) if !count.is_negative() => {
                    let count = count.unsigned_abs();
                    (*now == (count, count)).then(|| format!("{count} is what is wanted already"))
                }
                Ok(_) => Some("there cannot be less than none".to_owned()),
                Err(_) if typed.chars().all(|c| c.is_ascii_digit()) => {
                    Some(format!("{typed} is more than the API takes"))
                }
                Err(_) => Some(format!("{typed:?} is no number")),
            },
            Self::Image { .. } if typed.is_empty() => Some("type the image that it should have".to_owned()),
            Self::Image { containers, at, .. } => image::fault(typed).or_else(|| {
                let now = containers.get(*at).and_then(|container| container.image.as_ref());
                now.filter(|now| **now == *typed)
                    .map(|_| "this is the image that it has: change it".to_owned())
            }),
        }
    }

    /// What is wanted, as it is typed.
    pub fn action(&self) -> Action {
        let typed = self.typed().trim();
        match self {
            Self::Replicas { .. } => Action::Scale { replicas: typed.parse().ok(), back: Vec::new() },
            Self::Image { containers, at, .. } => {
                let container = containers.get(*at).map(|container| container.name.as_str());
                let image = format!("{}={typed}", container.unwrap_or_default());
                Action::SetImage { image: image.into(), back: Vec::new() }
            }
        }
    }
}

/// The containers that all of these have, in the order in which the first has them.
fn common(workloads: &[Workload<'_>]) -> Vec<Container> {
    let Some((first, others)) = workloads.split_first() else { return Vec::new() };
    let in_all = first.images().iter().filter_map(|known| {
        let same = others.iter().map(|other| {
            let mut images = other.images().iter();
            images.find(|image| image.container == known.container && image.is_init == known.is_init)
        });
        let same: Vec<_> = same.collect::<Option<_>>()?;
        let image = same.iter().all(|image| image.image == known.image).then(|| known.image.clone());
        Some(Container { name: known.container.clone(), is_init: known.is_init, image })
    });
    in_all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sample::{at, meta};
    use crate::cluster::{Change, Delta, Deployment, Image, Row as _};

    fn image(container: &str, image: &str, is_init: bool) -> Image {
        Image { container: container.into(), image: image.into(), is_init }
    }

    fn asked(action: Action, rows: &[(u32, &[Image])]) -> Result<Option<Entry>, String> {
        let mut cluster = Cluster::default();
        let mut targets = Vec::new();
        for (number, (replicas, images)) in rows.iter().enumerate() {
            let meta = meta(&format!("shop/web-{number}"));
            let (replicas, images) = (*replicas, images.to_vec().into());
            let row = Deployment { meta, replicas, images, ..Deployment::default() };
            targets.push(row.object());
            cluster.apply(Change::Deployment(Delta::Apply(Box::new(row))), at(0));
        }
        Entry::of(&Draft { action, targets, why: Text::default(), powered_off: Vec::new() }, &cluster)
    }

    fn scale() -> Action {
        Action::Scale { replicas: None, back: Vec::new() }
    }

    fn set_image() -> Action {
        Action::SetImage { image: Text::default(), back: Vec::new() }
    }

    #[test]
    fn a_count_is_a_number_that_is_not_wanted_already() {
        let mut entry = asked(scale(), &[(3, &[])]).unwrap().unwrap();
        for (typed, fault) in [
            ("", Some("type how many pods there should be")),
            ("3", Some("3 is what is wanted already")),
            ("-1", Some("there cannot be less than none")),
            ("2147483648", Some("2147483648 is more than the API takes")),
            ("5x", Some("\"5x\" is no number")),
            ("1.5", Some("\"1.5\" is no number")),
            (" 5 ", None),
            ("0", None),
        ] {
            typed.clone_into(entry.typed_mut());
            assert_eq!(entry.fault().as_deref(), fault, "{typed}");
        }
        "5".clone_into(entry.typed_mut());
        assert_eq!(entry.action(), Action::Scale { replicas: Some(5), back: Vec::new() });
    }

    #[test]
    fn of_several_that_differ_any_count_is_a_change() {
        let mut entry = asked(scale(), &[(3, &[]), (5, &[])]).unwrap().unwrap();
        "3".clone_into(entry.typed_mut());
        assert_eq!(entry.fault(), None);
    }

    #[test]
    fn an_image_is_asked_for_the_first_container_and_begins_with_what_it_has() {
        let images = [image("wait", "shop/wait:1", true), image("web", "shop/web:1", false)];
        let mut entry = asked(set_image(), &[(3, &images)]).unwrap().unwrap();
        assert_eq!((entry.at(), entry.typed()), (1, "shop/web:1"));
        assert!(entry.fault().unwrap().contains("change it"));
        entry.typed_mut().push_str(".1");
        assert_eq!(
            (entry.fault(), entry.action()),
            (None, Action::SetImage { image: "web=shop/web:1.1".into(), back: Vec::new() })
        );
        entry.choose(0);
        assert_eq!(entry.typed(), "shop/wait:1");
        entry.typed_mut().push(' ');
        entry.typed_mut().push('2');
        assert_eq!(entry.fault().as_deref(), Some("it has ' ' in it"));
    }

    #[test]
    fn several_workloads_are_asked_for_what_they_have_in_common() {
        let one = [image("web", "shop/web:1", false), image("log", "log:1", false)];
        let other = [image("log", "log:2", false), image("api", "shop/api:1", false)];
        let entry = asked(set_image(), &[(1, &one), (1, &other)]).unwrap().unwrap();
        let Entry::Image { containers, .. } = &entry else { panic!("{entry:?}") };
        assert_eq!(*containers, [Container { name: "log".into(), is_init: false, image: None }]);
        assert_eq!(entry.typed(), "");
        let none = asked(set_image(), &[(1, &one[..1]), (1, &other)]).unwrap_err();
        assert!(none.contains("no container in common"), "{none}");
    }

    #[test]
    fn what_was_said_is_not_asked_for() {
        let said = Action::Scale { replicas: Some(2), back: Vec::new() };
        assert_eq!(asked(said, &[(3, &[])]), Ok(None));
        assert_eq!(asked(Action::Restart, &[(3, &[])]), Ok(None));
    }
}
