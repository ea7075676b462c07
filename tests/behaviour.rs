//! What a cluster does, written against the API and held against two: the demo, and a real control plane.
//!
//! Each behaviour is a function over a `Stage` and runs on the demo in `cargo test`; with the feature `hollow` it runs
//! on the hollow cluster too, with the same expectations (see tests/hollow.rs for what that needs). Where the two
//! differ the demo is wrong, except where the list in the documentation of `sickbay::demo` says why.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also outside the functions marked as tests"
)]
#![expect(clippy::similar_names, reason = "a patch has a path, and a stage is never stale")]

#[cfg(feature = "hollow")]
#[path = "hollow/cluster.rs"]
#[expect(dead_code, reason = "what it has for the board's tests is of no use to these")]
mod cluster;
#[path = "behaviour/stage.rs"]
mod stage;

#[path = "behaviour/budgets.rs"]
mod budgets;
#[path = "behaviour/deletions.rs"]
mod deletions;
#[path = "behaviour/kubectl.rs"]
mod kubectl;
#[path = "behaviour/nodes.rs"]
mod nodes;
#[path = "behaviour/rollouts.rs"]
mod rollouts;
#[path = "behaviour/watches.rs"]
mod watches;
#[path = "behaviour/writes.rs"]
mod writes;

/// The same behaviours on both stages. Those that are `calm` share a cluster, each in a namespace of its own; the
/// others break nodes, or compare a whole cluster, and have their own.
macro_rules! on_both {
    (calm { $($calm:ident :: $quiet:ident,)* } wild { $($wild:ident :: $loud:ident,)* }
        slow { $($slow:ident :: $long:ident,)* }) => {
        mod demo {
            $(#[tokio::test]
            async fn $quiet() {
                crate::$calm::$quiet(&crate::stage::Stage::demo().await).await;
            })*
            $(#[tokio::test]
            async fn $loud() {
                crate::$wild::$loud(&crate::stage::Stage::demo().await).await;
            })*
            $(#[tokio::test]
            async fn $long() {
                crate::$slow::$long(&crate::stage::Stage::demo().await).await;
            })*
        }

        #[cfg(feature = "hollow")]
        mod hollow {
            $(#[tokio::test]
            async fn $quiet() {
                crate::$calm::$quiet(&crate::stage::Stage::shared_hollow().await).await;
            })*
            $(#[tokio::test]
            async fn $loud() {
                crate::$wild::$loud(&crate::stage::Stage::hollow().await).await;
            })*
            $(#[cfg(feature = "slow")]
            #[tokio::test]
            async fn $long() {
                crate::$slow::$long(&crate::stage::Stage::hollow().await).await;
            })*
        }
    };
}

on_both! {
    calm {
    writes::what_is_created_is_filled_up_and_numbered,
    writes::a_replacement_of_something_else_is_refused,
    writes::each_kind_of_patch_merges_by_its_own_rules,
    writes::a_dry_run_changes_nothing,
    writes::the_spec_is_counted_and_the_status_is_written_apart,
    writes::replicas_are_scaled_by_their_own_part,
    writes::unknown_fields_are_refused_or_warned_of,
    writes::what_is_not_there_or_not_allowed_is_refused_in_words,
    deletions::a_pod_has_its_grace_and_a_second_delete_only_shortens_it,
    deletions::a_forced_delete_waits_for_nobody,
    deletions::a_finalizer_holds_what_is_deleted,
    deletions::a_delete_means_the_object_that_was_seen,
    deletions::a_collection_is_deleted_by_its_labels,
    deletions::dependents_go_after_their_owner_or_stay_as_was_asked,
    watches::a_watch_tells_what_happens_in_its_order,
    watches::a_narrowed_watch_loses_what_leaves_it,
    watches::a_list_comes_in_pages_of_one_version,
    watches::a_streaming_list_says_where_it_ends,
    budgets::an_eviction_waits_for_the_budget,
    budgets::two_budgets_on_a_pod_are_an_error,
    budgets::an_eviction_in_a_dry_run_only_asks,
    budgets::an_eviction_means_the_pod_that_was_seen,
    rollouts::a_deployment_goes_back_to_an_older_revision,
    rollouts::a_stateful_set_goes_back_to_an_older_revision,
    rollouts::a_daemon_set_goes_back_to_an_older_revision,
    }
    wild {
    nodes::pods_of_a_dead_node_are_replaced_but_for_stateful_ones,
    nodes::a_node_out_of_service_gives_its_pods_and_volumes_free,
    nodes::a_kubelet_that_hangs_lets_no_pod_end,
    kubectl::what_operators_type_works,
    }
    slow {
    nodes::a_volume_is_detached_by_force_when_six_minutes_are_over,
    }
}
