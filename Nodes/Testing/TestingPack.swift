public import NodeKit

/// The small nodes that tests of the execution protocol are written with (test-nodes.md §4). Switched on by a flag, never
/// by default: they sleep, fail and loop on purpose.
public let testingPack = NodePack(
    "Testing", module: "custom_nodes.testing_nodes",
    nodes: [
        StubImage.self, StubConstantImage.self, StubMask.self, StubInt.self, StubFloat.self,
        TestLazyMixImages.self, TestVariadicAverage.self, TestOutputNodeWithSocketOutput.self,
        TestCustomIsChanged.self, TestIsChangedWithConstants.self,
        TestCustomValidation1.self, TestCustomValidation2.self, TestCustomValidation3.self, TestCustomValidation4.self,
        TestCustomValidation5.self,
        TestDynamicDependencyCycle.self, TestMixedExpansionReturns.self, TestDynamicAsyncGeneration.self,
        TestSleep.self, TestParallelSleep.self, TestAsyncValidation.self, TestAsyncValidationError.self,
        TestAsyncError.self, TestAsyncTimeout.self, TestSyncError.self, TestAsyncLazyCheck.self,
        TestAsyncResourceUser.self,
        TestWhileLoopOpen.self, TestWhileLoopClose.self, TestForLoopOpen.self, TestForLoopClose.self,
        TestExecutionBlocker.self, TestMakeListNode.self, TestIntConditions.self, TestToBoolNode.self,
        TestIntMathOperation.self,
    ])

let category = "Testing/Nodes"
