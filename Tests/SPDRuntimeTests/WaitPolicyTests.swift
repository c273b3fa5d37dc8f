import Testing

@testable import SPDRuntime

struct WaitPolicyTests {
  private func names(_ environment: [String: String]) -> [String] {
    WaitPolicy.variables { environment[$0] }.map(\.name)
  }

  @Test func bothLibrariesAreTold() {
    #expect(names([:]) == ["KMP_BLOCKTIME", "GOMP_SPINCOUNT"])
  }

  @Test func whatTheUserHasSetStays() {
    #expect(names(["KMP_BLOCKTIME": "200"]) == ["GOMP_SPINCOUNT"])
    #expect(names(["GOMP_SPINCOUNT": "0"]) == ["KMP_BLOCKTIME"])
    #expect(names(["OMP_WAIT_POLICY": "active"]) == [])
    #expect(names(["KMP_LIBRARY": "turnaround"]) == [])
  }
}
