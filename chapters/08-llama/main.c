// chapter 08
int main(void) { return 0; }
