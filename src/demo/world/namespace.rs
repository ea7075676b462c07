//! Namespaces that are deleted: emptied first, then gone.
//!
//! What in them holds on by a finalizer keeps them too.

use jiff::Timestamp;

use super::super::resource::Resource;
use super::super::{deletion, object};
use super::{Controller, Stage};

#[derive(Clone)]
pub(super) struct Namespaces;

impl Controller for Namespaces {
    fn watches(&self) -> &'static [Resource] {
        &Resource::ALL
    }

    fn reconcile(&mut self, stage: &mut Stage<'_>) -> Option<Timestamp> {
        for namespace in stage.all(Resource::Namespaces) {
            if !object::is_deleting(&namespace) {
                continue;
            }
            let mut is_empty = true;
            for resource in Resource::ALL.into_iter().filter(|resource| resource.spelling().is_namespaced) {
                let inside = stage.all(resource).into_iter();
                for object in inside.filter(|object| object::namespace(object) == object::name(&namespace)) {
                    if !object::is_deleting(&object) {
                        deletion::delete(stage.store, resource, &object::key(&object), None, stage.now);
                    }
                    is_empty &= stage.store.get(resource, &object::key(&object)).is_none();
                }
            }
            if is_empty {
                stage.store.remove(Resource::Namespaces, &object::key(&namespace));
            }
        }
        None
    }
}
