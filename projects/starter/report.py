"""What the report shows: the numbers in words, tables and figures."""

from projects.starter.predictor import Predictor
from shared.evaluation.classifier import ClassifierEvaluation, classifier_report
from shared.evaluation.report import Report
from shared.runs import Run


def report(predictor: Predictor, result: ClassifierEvaluation, run: Run) -> Report:
    return classifier_report("Image classification", predictor.network, predictor.classes, result, run.history())
