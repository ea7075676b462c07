//! The objects of the demo cluster: one table per resource, one counter of versions over all, and a bounded log
//! per resource from which watches are fed and old states rebuilt.
//!
//! The store numbers, stamps and remembers. It knows nothing of HTTP, of time (the caller says when) or of what
//! deleting a pod means: that is `deletion`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object;
use super::resource::Resource;

/// How many changes of a resource a watch can look back, unless told otherwise.
const WINDOW: usize = 2_000;

/// The version from which a fresh cluster counts: no cluster that people look at is at 1.
const FIRST_VERSION: u64 = 481_516;

/// What names an object within its resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Value>>,
    /// The object after the change; for a deletion its last state with the version of the deletion.
    pub(crate) object: Arc<Value>,
    pub(crate) is_deletion: bool,
}

/// The version asked for is no longer remembered; `floor` is the oldest that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooOld {
    pub(crate) floor: u64,
}

#[derive(Clone, Debug, Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Value>>,
    log: VecDeque<Entry>,
    /// A watch or an exact list may start here or later.
    floor: u64,
    /// The newest change that the log has let go of.
    dropped: u64,
    /// The newest change of all.
    changed: u64,
}

/// A clone shares the objects and goes its own way from there: that is what a dry run acts on.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    tables: BTreeMap<Resource, Table>,
    version: u64,
    uids: u64,
    window: usize,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            tables: Resource::ALL
                .into_iter()
                .map(|resource| (resource, Table { floor: FIRST_VERSION, ..Table::default() }))
                .collect(),
            version: FIRST_VERSION,
            uids: 0,
            window: WINDOW,
        }
    }

    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// The version of a resource's newest change.
    pub(crate) fn changed_at(&self, resource: Resource) -> u64 {
        self.tables.get(&resource).map_or(0, |table| table.changed)
    }

    pub(crate) fn get(&self, resource: Resource, key: &Key) -> Option<Arc<Value>> {
        self.tables.get(&resource)?.objects.get(key).cloned()
    }

    /// All objects of a resource, by namespace and name.
    pub(crate) fn list(&self, resource: Resource) -> impl Iterator<Item = &Arc<Value>> {
        self.tables.get(&resource).into_iter().flat_map(|table| table.objects.values())
    }

    /// The objects as they were at a version: the present, with what came later undone.
    pub(crate) fn list_at(
        &self,
        resource: Resource,
        version: u64,
    ) -> Result<BTreeMap<Key, Arc<Value>>, TooOld> {
        let Some(table) = self.tables.get(&resource) else {
            return Ok(BTreeMap::new());
        };
        if version < table.floor {
            return Err(TooOld { floor: table.floor });
        }
        let mut objects = table.objects.clone();
        for entry in table.log.iter().rev().take_while(|entry| entry.version > version) {
            match &entry.before {
                Some(before) => objects.insert(entry.key.clone(), Arc::clone(before)),
                None => objects.remove(&entry.key),
            };
        }
        Ok(objects)
    }

    /// Whether a watch may start at a version.
    pub(crate) fn reaches_back_to(&self, resource: Resource, version: u64) -> Result<(), TooOld> {
        match self.tables.get(&resource) {
            Some(table) if version < table.floor => Err(TooOld { floor: table.floor }),
            _ => Ok(()),
        }
    }

    /// What changed after a version, oldest first. A compaction does not harm who has read all that came before it;
    /// it is too late only if a change has been let go of unread.
    pub(crate) fn since(
        &self,
        resource: Resource,
        version: u64,
    ) -> Result<impl Iterator<Item = &Entry>, TooOld> {
        let table = self.tables.get(&resource);
        if let Some(table) = table
            && version < table.dropped
        {
            return Err(TooOld { floor: table.floor });
        }
        let log = table.map(|table| &table.log);
        let start = log.map_or(0, |log| log.partition_point(|entry| entry.version <= version));
        Ok(log.into_iter().flat_map(move |log| log.range(start..)))
    }

    /// Creates an object, or replaces the one of its name. What the server owns is kept or filled in: uid, creation
    /// time, generation, version. A replacement that changes nothing is no change, as on a real server.
    pub(crate) fn put(&mut self, resource: Resource, mut object: Value, at: Timestamp) -> Arc<Value> {
        let spelling = resource.spelling();
        object["apiVersion"] = json!(resource.api_version());
        object["kind"] = json!(spelling.kind);
        let key = object::key(&object);
        let before = self.get(resource, &key);
        let metadata = &mut object["metadata"];
        if metadata["uid"].is_null() {
            metadata["uid"] = match &before {
                Some(before) => before["metadata"]["uid"].clone(),
                None => json!(self.fresh_uid()),
            };
        }
        if metadata["creationTimestamp"].is_null() {
            metadata["creationTimestamp"] = match &before {
                Some(before) => before["metadata"]["creationTimestamp"].clone(),
                None => json!(object::time(at)),
            };
        }
        if spelling.counts_generations {
            object["metadata"]["generation"] = json!(generation(before.as_deref(), &object));
        }
        if let Some(before) = before {
            object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
            if *before == object {
                return before;
            }
            if finalizers_ran_out(&before, &object) {
                return self.remove(resource, &key).unwrap_or(before);
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        let version = self.version;
        let before =
            self.tables.entry(resource).or_default().objects.insert(key.clone(), Arc::clone(&object));
        self.record(
            resource,
            Entry { version, key, before, object: Arc::clone(&object), is_deletion: false },
        );
        object
    }

    /// Changes an object by a JSON merge patch; `None` if there is no such object.
    pub(crate) fn patch(
        &mut self,
        resource: Resource,
        key: &Key,
        patch: &Value,
        at: Timestamp,
    ) -> Option<Arc<Value>> {
        self.change(resource, key, at, |object| object::merge(object, patch))
    }

    /// Changes an object in place; `None` if there is no such object.
    pub(crate) fn change(
        &mut self,
        resource: Resource,
        key: &Key,
        at: Timestamp,
        edit: impl FnOnce(&mut Value),
    ) -> Option<Arc<Value>> {
        let mut object = Value::clone(self.get(resource, key)?.as_ref());
        edit(&mut object);
        Some(self.put(resource, object, at))
    }

    /// Removes an object at once, whatever its grace or finalizers; gives its last state.
    pub(crate) fn remove(&mut self, resource: Resource, key: &Key) -> Option<Arc<Value>> {
        let before = self.tables.get_mut(&resource)?.objects.remove(key)?;
        self.version += 1;
        let mut last = Value::clone(&before);
        last["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(last);
        self.record(
            resource,
            Entry {
                version: self.version,
                key: key.clone(),
                before: Some(before),
                object: Arc::clone(&object),
                is_deletion: true,
            },
        );
        Some(object)
    }

    /// How many changes of each resource are remembered from now on.
    pub(crate) fn set_window(&mut self, window: usize) {
        self.window = window;
        for table in self.tables.values_mut() {
            trim(table, window);
        }
    }

    /// Forgets the past of a resource: every version but the present one is too old afterwards.
    pub(crate) fn compact(&mut self, resource: Resource) {
        // The version moves, so that even the latest one handed out is too old: that is what happens to who watches
        // a quiet resource of a busy cluster.
        self.version += 1;
        let version = self.version;
        if let Some(table) = self.tables.get_mut(&resource) {
            if let Some(newest) = table.log.back() {
                table.dropped = newest.version;
            }
            table.log.clear();
            table.floor = version;
        }
    }

    /// As if etcd had been restored from an old copy: the same objects, lower versions, no past.
    pub(crate) fn restore_at(&mut self, version: u64) {
        self.version = version;
        for table in self.tables.values_mut() {
            table.log.clear();
            table.floor = version;
            table.dropped = 0;
            table.changed = version;
            for object in table.objects.values_mut() {
                let mut restored = Value::clone(object);
                restored["metadata"]["resourceVersion"] = json!(version.to_string());
                *object = Arc::new(restored);
            }
        }
    }

    fn record(&mut self, resource: Resource, entry: Entry) {
        let window = self.window;
        let table = self.tables.entry(resource).or_default();
        table.changed = entry.version;
        table.log.push_back(entry);
        trim(table, window);
    }

    /// Deterministic, but shaped and spread like a random uuid, because people and programs shorten them.
    pub(crate) fn fresh_uid(&mut self) -> String {
        self.uids += 1;
        let (high, low) = (scatter(self.uids), scatter(self.uids ^ 0x5851_f42d_4c95_7f2d));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }
}

fn trim(table: &mut Table, window: usize) {
    while table.log.len() > window {
        if let Some(oldest) = table.log.pop_front() {
            table.floor = table.floor.max(oldest.version);
            table.dropped = oldest.version;
        }
    }
}

fn generation(before: Option<&Value>, object: &Value) -> i64 {
    let Some(before) = before else {
        return object::number(object, "/metadata/generation").unwrap_or(1);
    };
    let last = object::number(before, "/metadata/generation").unwrap_or(1);
    // A deletion that has only been asked for counts as a change of what is wanted.
    let is_changed = before["spec"] != object["spec"]
        || before["metadata"]["deletionTimestamp"] != object["metadata"]["deletionTimestamp"];
    last + i64::from(is_changed)
}

fn finalizers_ran_out(before: &Value, object: &Value) -> bool {
    object::is_deleting(object)
        && object["metadata"]["deletionGracePeriodSeconds"] == 0
        && !object::items(before, "/metadata/finalizers").is_empty()
        && object::items(object, "/metadata/finalizers").is_empty()
}

/// Spreads a counter over 64 bits (the finalizer of splitmix64).
pub(crate) const fn scatter(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn pod(name: &str, image: &str) -> Value {
        json!({ "metadata": { "namespace": "shop", "name": name }, "spec": { "image": image } })
    }

    fn version(object: &Value) -> u64 {
        object::text(object, "/metadata/resourceVersion").parse().unwrap()
    }

    #[test]
    fn an_object_gets_what_the_server_owns_and_keeps_it() {
        let mut store = Store::new();
        let created = store.put(Resource::Pods, pod("a", "1"), at());
        let later = at() + jiff::SignedDuration::from_secs(60);
        let replaced = store.put(Resource::Pods, pod("a", "2"), later);
        assert_eq!(created["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(object::uid(&created).len(), 36);
        for kept in ["uid", "creationTimestamp"] {
            assert_eq!(created["metadata"][kept], replaced["metadata"][kept]);
        }
        assert_eq!(
            (&created["metadata"]["generation"], &replaced["metadata"]["generation"]),
            (&json!(1), &json!(2))
        );
        assert!(version(&replaced) > version(&created));
    }

    #[test]
    fn a_replacement_that_changes_nothing_is_no_change() {
        let mut store = Store::new();
        let created = store.put(Resource::Pods, pod("a", "1"), at());
        let again = store.put(Resource::Pods, pod("a", "1"), at());
        assert_eq!(created, again);
        assert_eq!(store.version(), version(&created));
    }

    #[test]
    fn the_past_can_be_rebuilt_while_the_log_reaches_back() {
        let mut store = Store::new();
        let first = version(&store.put(Resource::Pods, pod("a", "1"), at()));
        store.put(Resource::Pods, pod("b", "1"), at());
        store.put(Resource::Pods, pod("a", "2"), at());
        store.remove(Resource::Pods, &Key::new("shop", "a"));

        let then = store.list_at(Resource::Pods, first).unwrap();
        assert_eq!(then.values().map(|pod| pod["spec"]["image"].clone()).collect::<Vec<_>>(), ["1"]);
        assert_eq!(store.since(Resource::Pods, first).unwrap().count(), 3);

        store.set_window(1);
        assert!(store.list_at(Resource::Pods, first).is_err());
        assert!(store.since(Resource::Pods, first).is_err());
        assert_eq!(store.since(Resource::Pods, store.version() - 1).unwrap().count(), 1);
    }

    #[test]
    fn a_compaction_makes_every_earlier_version_too_old() {
        let mut store = Store::new();
        let last = version(&store.put(Resource::Pods, pod("a", "1"), at()));
        store.compact(Resource::Pods);
        assert_eq!(store.reaches_back_to(Resource::Pods, last), Err(TooOld { floor: store.version() }));
        assert!(store.reaches_back_to(Resource::Nodes, last).is_ok());
        assert_eq!(store.list(Resource::Pods).count(), 1);
    }

    #[test]
    fn a_compaction_leaves_a_reader_alone_that_has_read_everything() {
        let mut store = Store::new();
        let first = version(&store.put(Resource::Pods, pod("a", "1"), at()));
        let last = version(&store.put(Resource::Pods, pod("b", "1"), at()));
        store.compact(Resource::Pods);
        assert_eq!(store.since(Resource::Pods, last).unwrap().count(), 0);
        assert!(store.since(Resource::Pods, first).is_err());
    }

    #[test]
    fn an_object_that_is_being_deleted_goes_with_its_last_finalizer() {
        let mut store = Store::new();
        let mut attachment = json!({ "metadata": { "name": "csi-1", "finalizers": ["x/y"] } });
        store.put(Resource::VolumeAttachments, attachment.clone(), at());
        attachment["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        attachment["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        store.put(Resource::VolumeAttachments, attachment, at());
        assert_eq!(store.list(Resource::VolumeAttachments).count(), 1);
        store.patch(
            Resource::VolumeAttachments,
            &Key::new("", "csi-1"),
            &json!({ "metadata": { "finalizers": null } }),
            at(),
        );
        assert_eq!(store.list(Resource::VolumeAttachments).count(), 0);
    }

    #[test]
    fn a_restored_store_has_the_same_objects_at_lower_versions() {
        let mut store = Store::new();
        let created = store.put(Resource::Pods, pod("a", "1"), at());
        store.restore_at(10);
        let restored = store.get(Resource::Pods, &Key::new("shop", "a")).unwrap();
        assert_eq!(restored["metadata"]["uid"], created["metadata"]["uid"]);
        assert_eq!((version(&restored), store.version()), (10, 10));
    }

    #[test]
    fn uids_repeat_from_run_to_run_and_never_within_one() {
        let uids = |count: u64| {
            let mut store = Store::new();
            (0..count).map(|_| store.fresh_uid()).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(uids(1_000).len(), 1_000);
        assert_eq!(uids(1_000), uids(1_000));
    }
}
