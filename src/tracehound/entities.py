"""The namespace `entities` of MLflow's API: what results are made of, and what one makes to hand it over."""

from __future__ import annotations

from tracehound.model.assessment import Assessment as Assessment
from tracehound.model.assessment import AssessmentError as AssessmentError
from tracehound.model.assessment import AssessmentSource as AssessmentSource
from tracehound.model.assessment import AssessmentSourceType as AssessmentSourceType
from tracehound.model.assessment import Expectation as Expectation
from tracehound.model.assessment import Feedback as Feedback
from tracehound.model.assessment import IssueReference as IssueReference
from tracehound.model.document import Document as Document
from tracehound.model.location import MlflowExperimentLocation as MlflowExperimentLocation
from tracehound.model.location import TraceLocation as TraceLocation
from tracehound.model.location import TraceLocationType as TraceLocationType
from tracehound.model.logged_model import LoggedModel as LoggedModel
from tracehound.model.logged_model import ModelVersion as ModelVersion
from tracehound.model.logged_model import RegisteredModel as RegisteredModel
from tracehound.model.occurrence import Link as Link
from tracehound.model.occurrence import SpanEvent as SpanEvent
from tracehound.model.paged import PagedList as PagedList
from tracehound.model.run import Run as Run
from tracehound.model.run import RunData as RunData
from tracehound.model.run import RunInfo as RunInfo
from tracehound.model.run import RunStatus as RunStatus
from tracehound.model.session import Session as Session
from tracehound.model.span import Span as Span
from tracehound.model.span import SpanStatus as SpanStatus
from tracehound.model.span import SpanStatusCode as SpanStatusCode
from tracehound.model.span import SpanType as SpanType
from tracehound.model.trace import Experiment as Experiment
from tracehound.model.trace import Trace as Trace
from tracehound.model.trace import TraceData as TraceData
from tracehound.model.trace import TraceInfo as TraceInfo
from tracehound.model.trace import TraceState as TraceState
