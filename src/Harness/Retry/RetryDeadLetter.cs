using System.CommandLine;
using Sagas.Harness.CommandLine;
namespace Sagas.Harness.Retry;
internal static class RetryDeadLetter { public static Command Create(Terminal terminal) => new SagasCommand("retrydeadletter", "x"); }
