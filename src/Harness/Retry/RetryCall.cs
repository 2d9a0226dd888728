using System.CommandLine;
using Sagas.Harness.CommandLine;
namespace Sagas.Harness.Retry;
internal static class RetryCall { public static Command Create(Terminal terminal) => new SagasCommand("retrycall", "x"); }
