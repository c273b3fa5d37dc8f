import Foundation
import SPDDriver
import Testing

/// The default number of threads.
@Suite struct ThreadTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func budget(_ affinity: Int, _ quota: Double?, _ environment: [String: String] = [:]) throws -> ThreadBudget {
    try ThreadBudget(affinity: affinity, quota: quota, environment: environment)
  }

  @Test func theSmallestLimitDecides() throws {
    #expect(try budget(8, nil).threads == 8)
    #expect(try budget(8, nil).reason == "affinity")
    #expect(try budget(8, 1.5).threads == 2)
    #expect(try budget(8, 1.5).reason == "CPU quota of 1.5 of the control group")
    #expect(try budget(8, 0.1).threads == 1)
    #expect(try budget(2, 64).threads == 2)
    #expect(try budget(8, 4, ["OMP_NUM_THREADS": "3"]).threads == 3)
    #expect(try budget(8, 4, ["OMP_NUM_THREADS": "3"]).reason == "OMP_NUM_THREADS=3")
    #expect(try budget(8, nil, ["OMP_NUM_THREADS": " 5 , 2"]).threads == 5)
    #expect(try budget(8, nil, ["OMP_NUM_THREADS": "100000"]).threads == 8)
    #expect(try budget(8, nil, ["OMP_NUM_THREADS": ""]).threads == 8)
    for variable in ["OMP_THREAD_LIMIT", "KMP_DEVICE_THREAD_LIMIT", "KMP_ALL_THREADS"] {
      #expect(try budget(8, nil, [variable: "2"]).threads == 2)
      #expect(try budget(8, nil, [variable: "2"]).reason == "\(variable)=2")
      #expect(try budget(8, nil, [variable: "many"]).threads == 8)
    }
    #expect(try budget(4096, nil).threads == 1024)
  }

  @Test(arguments: ["abc", "-1", "0", "2.5", "99999999999999999999", "4 threads", ",2"])
  func whatIsNoNumberOfThreads(_ text: String) throws {
    #expect(throws: Failure.self) { try budget(8, nil, ["OMP_NUM_THREADS": text]) }
  }

  /// A file of a control group, or of /proc.
  private func put(_ text: String, _ path: String) throws {
    let folder = (scratch(path) as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try text.write(toFile: scratch(path), atomically: false, encoding: .utf8)
  }

  @Test func quotasOfVersion2() throws {
    try put("0::/pod/container\n", "proc/self/cgroup")
    try put("29 22 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "proc/self/mountinfo")
    try put("max 100000\n", "sys/fs/cgroup/pod/container/cpu.max")
    // The enclosing group counts too.
    try put("150000 100000\n", "sys/fs/cgroup/pod/cpu.max")
    try put("1000000\n", "sys/fs/cgroup/pod/memory.max")
    try put("700000\n", "sys/fs/cgroup/pod/memory.current")
    try put("anon 500000\ninactive_file 200000\n", "sys/fs/cgroup/pod/memory.stat")
    try put("max\n", "sys/fs/cgroup/pod/container/memory.max")
    let group = ControlGroup(root: scratch.path)
    #expect(group.processors == 1.5)
    #expect(group.memory == 500_000)
  }

  @Test func quotasOfVersion1() throws {
    try put("4:memory:/\n3:cpu,cpuacct:/docker/abc\n0::/\n", "proc/self/cgroup")
    try put(
      """
      31 22 0:27 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
      32 22 0:28 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory

      """, "proc/self/mountinfo")
    try put("50000\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us")
    try put("100000\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us")
    try put("9223372036854771712\n", "sys/fs/cgroup/memory/memory.limit_in_bytes")
    try put("5\n", "sys/fs/cgroup/memory/memory.usage_in_bytes")
    let group = ControlGroup(root: scratch.path)
    #expect(group.processors == 0.5)
    #expect(group.memory == nil)
    try put("-1\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us")
    #expect(ControlGroup(root: scratch.path).processors == nil)
    #expect(ControlGroup(root: scratch("nothing")).processors == nil)
  }

  private func run(_ environment: [String: String?], _ more: String...) async throws -> Outcome {
    try await spdc(
      arguments: [
        "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy"), "--json",
      ] + more, environment: environment)
  }

  @Test func theCommandRunsOnWhatThereIs() async throws {
    for environment in [["OMP_NUM_THREADS": "1"], ["OMP_THREAD_LIMIT": "1"], ["OMP_NUM_THREADS": "1,4"]] {
      #expect(try await run(environment).succeeded().object()["threads"] as? Int == 1)
    }
    // Neither makes OpenMP's library abort, or grant less than was asked for.
    try await run(["OMP_NUM_THREADS": "100000"]).succeeded()
    let dynamic = try await run(["OMP_DYNAMIC": "true"], "--threads", "2").succeeded()
    #expect(try dynamic.object()["threads"] as? Int == 2)
    try await run(["OMP_THREAD_LIMIT": "1"], "--threads", "2").failed(
      .unavailable, "2 threads were requested, but OpenMP granted 1: OMP_THREAD_LIMIT is 1", "remove --threads")
  }

  @Test(arguments: ["abc", "-1", "0", "99999999999999999999"])
  func aWrongVariableIsOneLine(_ text: String) async throws {
    for more in [[], ["--threads", "2"]] {
      let run = try await spdc(
        arguments: [
          "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy"),
        ] + more, environment: ["OMP_NUM_THREADS": text])
      run.failed(.usage, "OMP_NUM_THREADS is “\(text)”, which is not a valid number of threads")
      #expect(run.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func doctorSaysWhatDecides() async throws {
    let one = try await spdc("doctor", environment: ["OMP_NUM_THREADS": "1"]).output
    #expect(
      one.contains(" usable: 1 thread, limited by OMP_NUM_THREADS=1")
        || one.contains(" usable: 1 thread, limited by affinity"))
    let wrong = try await spdc("doctor", environment: ["OMP_NUM_THREADS": "abc"])
    #expect(wrong.output.contains("threads      OMP_NUM_THREADS is “abc”"))
  }
}
