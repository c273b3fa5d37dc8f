import SPDFormats

// The subset of TensorBoard's event files that a training run writes, with the names and field numbers of event.proto and
// summary.proto.

struct Event {
  /// Seconds since 1970.
  var wallTime: Double
  var step: Int
  var what: What

  enum What {
    /// The first event of a file: "brain.Event:2".
    case fileVersion(String)
    case summary([Scalar])
    case sessionLog(SessionLog)
  }

  enum Field {
    static let (wallTime, step) = (1, 2)
    static let (fileVersion, summary, sessionLog) = (3, 5, 7)
  }
}

extension Event: ProtobufMessage {
  /// Omits zeros, the default in `proto3`.
  func write(to writer: inout ProtobufWriter) {
    writer.double(Field.wallTime, wallTime == 0 ? nil : wallTime)
    writer.int(Field.step, step == 0 ? nil : step)
    switch what {
    case .fileVersion(let version): writer.string(Field.fileVersion, version)
    case .summary(let values): writer.message(Field.summary, Summary(value: values))
    case .sessionLog(let log): writer.message(Field.sessionLog, log)
    }
  }
}

/// Tells TensorBoard to discard earlier events of this step and later ones.
struct SessionLog: ProtobufMessage {
  enum Field {
    static let status = 1
  }

  /// SessionStatus.
  enum Status {
    static let start = 1
  }

  func write(to writer: inout ProtobufWriter) { writer.int(Field.status, Status.start) }
}

struct Summary: ProtobufMessage {
  var value: [Scalar]

  enum Field {
    static let value = 1
  }

  func write(to writer: inout ProtobufWriter) { writer.messages(Field.value, value) }
}

/// Summary.Value of one number.
struct Scalar: ProtobufMessage {
  var tag: String
  var simpleValue: Float

  enum Field {
    static let (tag, simpleValue) = (1, 2)
  }

  func write(to writer: inout ProtobufWriter) {
    writer.string(Field.tag, tag.isEmpty ? nil : tag)
    writer.float(Field.simpleValue, simpleValue)
  }
}
