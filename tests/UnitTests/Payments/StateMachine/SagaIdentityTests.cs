namespace Sagas.UnitTests.Payments.StateMachine;

public sealed class SagaIdentityTests
{
    private static readonly Guid _dns = new("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

    [Theory]
    [InlineData("www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2")] // RFC 9562, appendix A.4
    [InlineData("python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d")] // Python's documentation of uuid5
    public void Names_are_hashed_as_RFC_9562_says(string name, string expected) =>
        Assert.Equal(new Guid(expected), SagaIdentity.Version5(_dns, name));

    // Databases contain these ids: a change here would lose every existing saga. Computed with another implementation.
    [Fact]
    public void Ids_of_sagas_never_change()
    {
        Assert.Equal(new Guid("5ff6517b-99e9-547c-b7cc-d4cff20f3a20"), SagaIdentity.Customer("42"));
        Assert.Equal(new Guid("6cc92788-87f7-5b26-a56b-2257704674bb"), SagaIdentity.Payment("42"));
        Assert.Equal(new Guid("75f83e38-71f9-5161-85ec-7f4751530fa8"), SagaIdentity.Customer("Zoë-7"));
    }

    [Theory]
    [InlineData(" 42")]
    [InlineData("42\r\n")]
    [InlineData("\u00a042\t")]
    public void White_space_around_an_id_does_not_count(string id)
    {
        Assert.Equal(SagaIdentity.Customer("42"), SagaIdentity.Customer(id));
        Assert.Equal(SagaIdentity.Payment("42"), SagaIdentity.Payment(id));
    }

    [Fact]
    public void Different_ids_and_kinds_are_different_sagas()
    {
        Guid[] ids =
        [
            SagaIdentity.Customer("42"),
            SagaIdentity.Payment("42"),
            SagaIdentity.Customer("4 2"),
            SagaIdentity.Customer("043"),
            SagaIdentity.Customer("a"),
            SagaIdentity.Customer("A"),
            SagaIdentity.Customer(new string('x', 128)),
            SagaIdentity.Customer("customer:42"),
        ];

        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Equal(5, id.Version));
        Assert.All(ids, id => Assert.InRange(id.Variant, 8, 11));
    }
}
