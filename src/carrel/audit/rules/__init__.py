"""Every rule, one file each; a rule counts when it stands in `RULES`."""

from typing import Final

from carrel.audit.rule import Rule
from carrel.audit.rules.broadcast_to_every_socket import BroadcastToEverySocket
from carrel.audit.rules.cache_key_omits_user import CacheKeyOmitsUser
from carrel.audit.rules.callbacks_pile_up import CallbacksPileUp
from carrel.audit.rules.client_chosen_id_routes import ClientChosenIdRoutes
from carrel.audit.rules.connection_across_fork import ConnectionAcrossFork
from carrel.audit.rules.connection_reused_after_cancel import ConnectionReusedAfterCancel
from carrel.audit.rules.context_in_long_task import ContextInLongTask
from carrel.audit.rules.context_not_reset import ContextNotReset
from carrel.audit.rules.decorator_cell_state import DecoratorCellState
from carrel.audit.rules.deprecated_beside_current import DeprecatedBesideCurrent
from carrel.audit.rules.duplicate_implementation import DuplicateImplementation
from carrel.audit.rules.duplicated_protocol import DuplicatedProtocol
from carrel.audit.rules.error_holds_another_request import ErrorHoldsAnotherRequest
from carrel.audit.rules.factory_bypassed import FactoryBypassed
from carrel.audit.rules.fixed_temporary_path import FixedTemporaryPath
from carrel.audit.rules.global_current_user import GlobalCurrentUser
from carrel.audit.rules.identity_from_request import IdentityFromRequest
from carrel.audit.rules.import_cycle import ImportCycle
from carrel.audit.rules.last_connection_wins import LastConnectionWins
from carrel.audit.rules.late_binding_closure import LateBindingClosure
from carrel.audit.rules.leaking_dependency import LeakingDependency
from carrel.audit.rules.map_keyed_by_id import MapKeyedById
from carrel.audit.rules.memo_over_identity import MemoOverIdentity
from carrel.audit.rules.memoised_query import MemoisedQuery
from carrel.audit.rules.missing_identity_collapses import MissingIdentityCollapses
from carrel.audit.rules.module_level_container import ModuleLevelContainer
from carrel.audit.rules.multiplied_factories import MultipliedFactories
from carrel.audit.rules.mutable_class_attribute import MutableClassAttribute
from carrel.audit.rules.mutable_context_value import MutableContextValue
from carrel.audit.rules.mutable_default import MutableDefault
from carrel.audit.rules.object_without_owner_check import ObjectWithoutOwnerCheck
from carrel.audit.rules.per_user_value_on_app import PerUserValueOnApp
from carrel.audit.rules.private_response_cacheable import PrivateResponseCacheable
from carrel.audit.rules.process_wide_credential import ProcessWideCredential
from carrel.audit.rules.replay_not_scoped import ReplayNotScoped
from carrel.audit.rules.retrieval_without_tenant import RetrievalWithoutTenant
from carrel.audit.rules.reused_buffer import ReusedBuffer
from carrel.audit.rules.session_id_only_credential import SessionIdOnlyCredential
from carrel.audit.rules.session_setting_on_pool import SessionSettingOnPool
from carrel.audit.rules.shared_client_identity import SharedClientIdentity
from carrel.audit.rules.shared_object_collects import SharedObjectCollects
from carrel.audit.rules.shared_object_stores_argument import SharedObjectStoresArgument
from carrel.audit.rules.shared_orm_session import SharedOrmSession
from carrel.audit.rules.thread_local_in_async import ThreadLocalInAsync
from carrel.audit.rules.thread_local_not_cleared import ThreadLocalNotCleared

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (
    ModuleLevelContainer(),
    GlobalCurrentUser(),
    MutableClassAttribute(),
    MutableDefault(),
    SharedObjectStoresArgument(),
    SharedObjectCollects(),
    MemoOverIdentity(),
    CacheKeyOmitsUser(),
    PrivateResponseCacheable(),
    ThreadLocalInAsync(),
    ThreadLocalNotCleared(),
    ContextInLongTask(),
    MutableContextValue(),
    ContextNotReset(),
    ConnectionReusedAfterCancel(),
    SessionSettingOnPool(),
    SharedOrmSession(),
    MemoisedQuery(),
    ConnectionAcrossFork(),
    ClientChosenIdRoutes(),
    BroadcastToEverySocket(),
    LastConnectionWins(),
    ObjectWithoutOwnerCheck(),
    IdentityFromRequest(),
    MissingIdentityCollapses(),
    SessionIdOnlyCredential(),
    SharedClientIdentity(),
    ProcessWideCredential(),
    CallbacksPileUp(),
    LateBindingClosure(),
    ReusedBuffer(),
    FixedTemporaryPath(),
    RetrievalWithoutTenant(),
    ReplayNotScoped(),
    PerUserValueOnApp(),
    MapKeyedById(),
    ErrorHoldsAnotherRequest(),
    DecoratorCellState(),
    DuplicateImplementation(),
    MultipliedFactories(),
    FactoryBypassed(),
    DeprecatedBesideCurrent(),
    DuplicatedProtocol(),
    ImportCycle(),
    LeakingDependency(),
)
"""In the order of their codes."""
