using System.CommandLine;
using Sagas.Harness.CommandLine;
namespace Sagas.Harness.Retry;
internal static class RevivePaymentCommand { public static Command Create(Terminal terminal) => new SagasCommand("revivepaymentcommand", "x"); }
