//! What every store must do, whatever its engine: each case is one test of SQLite, and all together are one of
//! PostgreSQL, whose servers are started once for them.

mod fleet;
mod runs;
mod seizing;

use super::chains;
use super::postgres::Database;
use super::*;

macro_rules! suite {
    ($($module:ident::$case:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$module::$case(&super::Place::new()).await;
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_of_it_holds_on_postgres_with_a_synchronous_standby() {
            if !pg::available("all_of_it_holds_on_postgres_with_a_synchronous_standby") {
                return;
            }
            let pair = pg::Pair::start().await.unwrap();
            let mut failed = Vec::new();
            $(
                let database = Database::of_pair(&pair, stringify!($case));
                let case = tokio::spawn(async move { $module::$case(&database).await });
                if case.await.is_err() {
                    failed.push(stringify!($case));
                }
            )*
            assert!(failed.is_empty(), "{failed:?}");
        }
    };
}

suite! {
    runs::a_journal_is_read_back_by_another_process,
    runs::one_driver_a_cluster_and_whoever_is_refused_learns_who,
    runs::looking_whether_a_lease_is_held_never_makes_it_look_held,
    runs::an_epoch_that_is_over_appends_nothing,
    runs::no_two_events_have_one_number,
    runs::requests_are_taken_once_and_in_order,
    runs::nothing_can_be_asked_of_a_run_that_is_not_there,
    runs::progress_is_overwritten,
    runs::pruning_takes_one_run_with_all_that_belongs_to_it,
    runs::the_catalogue_keeps_a_package_once,
    chains::every_writer_goes_on_from_the_one_before,
    seizing::who_was_seized_from_appends_nothing_and_their_end_frees_nothing,
    seizing::a_failure_of_who_was_seized_from_names_who_drives_now,
    seizing::a_seized_epoch_is_above_the_row_and_above_what_the_agents_obey,
    seizing::of_many_at_once_the_highest_epoch_has_the_cluster,
    seizing::of_many_who_want_a_free_cluster_one_gets_it,
    fleet::one_leads_and_others_learn_who_and_where,
    fleet::who_does_not_lead_any_more_appends_to_no_rollout,
    fleet::a_rollout_begins_with_number_one_and_no_number_is_there_twice,
    fleet::requests_for_a_rollout_need_no_rollout_and_keep_their_order,
    fleet::requests_become_visible_in_the_order_of_their_numbers,
    fleet::a_shelf_keeps_documents_by_name,
}
